"""What a project's files say, read once for all checks; none of it is imported or run."""

from __future__ import annotations

import codecs
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ...registry import INTEGRATIONS, PROVIDERS
from .classes import BEDROCK, LITELLM, VENDORS
from .files import LARGEST, Files
from .kinds import KINDS, WORKERS
from .module import Module, Use

PACKAGE: Final = "amplitude_ai_integrations"
COMMERCIAL: Final = "amplitude_ai"

_ALSO: Final = (LITELLM, "aioboto3", "aiobotocore", "botocore")
_VENDORS: Final = "|".join(
    sorted({re.escape(known.module.partition(".")[0]) for known in INTEGRATIONS} | set(_ALSO))
)
_MAKERS: Final = "|".join(
    sorted({maker for kind in (*KINDS, *WORKERS) for maker in kind.makers})
    + sorted({client for clients in VENDORS.values() for client in clients})
    + [BEDROCK, LITELLM, r"(?:completions|responses|embeddings)\.(?:create|parse|stream)"]
)
_MOST_KEPT: Final = 3_000_000  # bytes of source; a hundred times that in memory
_OURS: Final = re.compile(rb"amplitude|MIDDLEWARE|DJANGO_SETTINGS_MODULE|\bimport[ \t]+\*", re.IGNORECASE)
_THEIRS: Final = re.compile(rf"^[ \t]*(?:from|import)\b.*\b(?:{_VENDORS})\b".encode(), re.MULTILINE)
_MADE: Final = re.compile(rf"\b(?:{_MAKERS})\b".encode())


@dataclass
class Sources:
    """The modules that have to do with us or with whom we integrate, and what could not be read.

    Of those that only import a vendor's package no more is kept than what they import.
    """

    modules: list[Module] = field(default_factory=list)
    imported: set[str] = field(default_factory=set)
    unread: dict[str, str] = field(default_factory=dict)
    count: int = 0
    is_cut: bool = False
    _kept: int = 0

    @classmethod
    def of(cls, project: Path) -> Sources:
        """Read the Python files of a folder, or one file."""
        found = cls()
        files = Files(project)
        for path in files:
            name = (path if project.is_file() else path.relative_to(project)).as_posix()
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
            elif _OURS.search(source) or _THEIRS.search(source):
                found._parse(name, source)
            if found._kept > _MOST_KEPT:
                found.is_cut = True
                break
        found.is_cut |= files.is_cut
        return found

    def _parse(self, name: str, source: bytes) -> None:
        try:
            module = Module(name, source)
        except ValueError as error:
            self.unread[name] = f"it is no valid Python, {error}"
            return
        self.imported |= module.imported
        if _OURS.search(source) or _MADE.search(source):
            self.modules.append(module)
            self._kept += len(source)

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
        boto3 = PROVIDERS["bedrock"].module
        is_for_models = "Bedrock" in ours or any(BEDROCK.encode() in module.source for module in self.modules)
        return needed if is_for_models else needed - {boto3}

    @property
    def strings(self) -> frozenset[str]:
        """Every text that stands anywhere."""
        return frozenset(node.value for module in self.modules for node in module.strings)  # type: ignore[misc]

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
