"""What a project's files say, read once for all checks; none of it is imported or run."""

from __future__ import annotations

import codecs
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ...registry import AGENT_FRAMEWORKS, INTEGRATIONS, PROVIDERS
from .classes import BEDROCK, LITELLM, OURS, VENDORS
from .files import LARGEST, Files
from .frameworks import BY_DOOR, ENABLE, ROOTS, SPAN_DOORS
from .kinds import KINDS, WORKERS
from .module import Module, Use
from .runs import Own, Run, runs_of, takers_of

PACKAGE: Final = "amplitude_ai_integrations"
COMMERCIAL: Final = "amplitude_ai"

_ALSO: Final = (LITELLM, "aioboto3", "aiobotocore", "botocore")
_VENDORS: Final = "|".join(
    sorted({re.escape(known.module.partition(".")[0]) for known in INTEGRATIONS} | {*_ALSO, *ROOTS})
)
_MAKERS: Final = "|".join(
    sorted({maker for kind in (*KINDS, *WORKERS) for maker in kind.makers})
    + sorted({client for clients in VENDORS.values() for client in clients})
    + [BEDROCK, LITELLM, r"(?:completions|responses|embeddings)\.(?:create|parse|stream)"]
)
_MOST_KEPT: Final = 3_000_000  # bytes of source; a hundred times that in memory
_OUR_WORDS: Final = re.compile(
    rb"amplitude|MIDDLEWARE|DJANGO_SETTINGS_MODULE|\bimport[ \t]+\*|%s" % ENABLE.encode(), re.IGNORECASE
)
_KNOWN: Final = re.compile(_VENDORS)
_THEIRS: Final = re.compile(rf"^[ \t]*(?:from|import)\b.*\b(?:{_VENDORS})\b".encode(), re.MULTILINE)
_MADE: Final = re.compile(rf"\b(?:{_MAKERS})\b".encode())


@dataclass
class Sources:
    """The modules that have to do with us or with whom we integrate, and what could not be read.

    Of those that only import a vendor's package no more is kept than what they import, and where they run
    agents.
    """

    modules: list[Module] = field(default_factory=list)
    imported: set[str] = field(default_factory=set)
    runs: list[Run] = field(default_factory=list)
    takers: list[Run] = field(default_factory=list)
    unread: dict[str, str] = field(default_factory=dict)
    count: int = 0
    is_cut: bool = False
    _kept: int = 0
    _known: dict[str, set[str]] = field(default_factory=dict)
    _project: Path | None = None

    @classmethod
    def of(cls, project: Path) -> Sources:
        """Read the Python files of a folder, or one file."""
        found = cls(_project=project)
        files, names = Files(project), set()
        for path in files:
            name = (path if project.is_file() else path.relative_to(project)).as_posix()
            names.add(name)
            found.count += 1
            try:
                about = path.stat()
                why = "" if stat.S_ISREG(about.st_mode) else "it is no regular file"
                why = "it is larger than 1 MB" if about.st_size > LARGEST else why
                source = b"" if why else path.read_bytes().removeprefix(codecs.BOM_UTF8)
            except OSError as error:
                why, source = (error.strerror or type(error).__name__).lower(), b""
            if why:
                found.unread[name] = why
            elif _OUR_WORDS.search(source) or _THEIRS.search(source):
                found._parse(name, source)
            if found._kept > _MOST_KEPT:
                found.is_cut = True
                break
        found.is_cut |= files.is_cut
        found._leave_out(Own(project, names))
        return found

    def _parse(self, name: str, source: bytes) -> None:
        try:
            module = Module(name, source)
        except ValueError as error:
            self.unread[name] = f"it is no valid Python, {error}"
            return
        known = {path for path in module.imported if _KNOWN.fullmatch(path.partition(".")[0])}
        self.imported |= module.imported - known
        known.update(OURS[path.rpartition(".")[2]] for path in module.imported if _is_client_of_ours(path))
        if known:
            self._known[name] = known
            self.runs += runs_of(module)
            self.takers += takers_of(module)
        if _OUR_WORDS.search(source) or _MADE.search(source):
            self.modules.append(module)
            self._kept += len(source)

    def _leave_out(self, own: Own) -> None:
        """Leave out modules of the project's own that have the name of a vendor's."""
        others = own.others(self._known, self.runs)
        self.imported.update(*others.values())
        self.runs = [run for run in self.runs if run.root in others[run.file]]
        self.takers = [run for run in self.takers if run.root in others[run.file]]

    @property
    def needed(self) -> set[str]:
        """The modules that are imported, and those that our classes of their names stand on.

        boto3 is imported for much else than models.
        """
        ours = {path.rpartition(".")[2] for path in self.imported if path.startswith(PACKAGE + ".")}
        needed = self.imported | {
            known.module
            for provider, known in PROVIDERS.items()
            if ours.intersection((*known.clients, provider.capitalize()))
        }
        needed |= {run.framework.stands_on for run in self.runs} - {""}
        needed |= {framework.stands_on for door, framework in BY_DOOR.items() if door in ours}
        if ours.intersection(SPAN_DOORS) or self.mentions(f".{ENABLE}("):
            needed.add(AGENT_FRAMEWORKS["opentelemetry"].module)
        boto3 = PROVIDERS["bedrock"].module
        is_for_models = "Bedrock" in ours or any(BEDROCK.encode() in module.source for module in self.modules)
        return needed if is_for_models else needed - {boto3}

    @property
    def strings(self) -> frozenset[str]:
        """Every text that stands anywhere."""
        return frozenset(node.value for module in self.modules for node in module.strings)  # type: ignore[misc]

    def mentions_anywhere(self, *words: str, besides: str = "") -> bool:
        """Tell whether a word stands in any file, also in those that are not kept; all are read again."""
        if self._project is None:
            return False
        whole = re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})\b".encode())
        for path in Files(self._project):
            name = (path if self._project.is_file() else path.relative_to(self._project)).as_posix()
            if name != besides and name not in self.unread:
                with suppress(OSError):
                    if whole.search(path.read_bytes()):
                        return True
        return False

    def mentions(self, word: str) -> bool:
        """Tell whether a word stands anywhere, be it as a name or in a text."""
        return any(word.encode() in module.source for module in self.modules)

    def named(self, dotted: str) -> Module | None:
        """Return the module of a dotted path, nearest first, wherever in the project its root is."""
        end = "." + dotted
        found = [module for module in self.modules if f".{module.dotted}".endswith(end)]
        return min(found, key=lambda module: len(module.path), default=None)

    def imported_by(self, module: Module) -> Iterator[Module]:
        """Yield the modules of the project that one imports."""
        for path in sorted(module.sources):
            other = self.named(path)
            if other is not None and other is not module:
                yield other

    def uses(self, *names: str) -> Iterator[Use]:
        """Yield the places that use one of some names, under whatever alias and wherever imported from."""
        for module in self.modules:
            for node in module.references:
                name = module.path_of(node).rpartition(".")[2]
                if name in names:
                    yield Use(module, node, name, module.call_around(node))

    def calls_of(self, package: str, names: tuple[str, ...]) -> Iterator[Use]:
        """Yield the calls of some classes or functions of a package."""
        for module in self.modules:
            if package not in module.imported:
                continue
            for call in module.calls:
                path, _, name = module.path_of(call.func).rpartition(".")
                if name in names and (path == package or path.startswith(package + ".")):
                    yield Use(module, call, name, call)


def _is_client_of_ours(path: str) -> bool:
    home, _, name = path.rpartition(".")
    return name in OURS and (home == PACKAGE or home.startswith(f"{PACKAGE}.providers"))
