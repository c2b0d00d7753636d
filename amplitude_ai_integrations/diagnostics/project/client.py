"""The client that the lines to add name: the project's own, or one that is made once for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from ..finding import Finding
from .kinds import FLASK_DOOR
from .module import Module, Use
from .settings import is_of_django
from .sources import PACKAGE, Sources

CLIENT: Final = "\0"  # stands for the client in a fix, until all fixes are known
_SHARED: Final = "agent_analytics"
_MAKE: Final = f"from {PACKAGE} import AmplitudeAI\nai = AmplitudeAI()"


class _Client(NamedTuple):
    """What the client is called, and where it is made; nowhere yet if there is no ``use``."""

    name: str
    use: Use | None = None


def naming_one_client(sources: Sources, topic: str, found: Iterable[Finding]) -> Iterator[Finding]:
    """Let all fixes name the same client, so that they work together, and say in one where it is made."""
    found = list(found)
    client = _client_of(sources)
    lacking = [finding for finding in found if CLIENT in finding.fix]
    homes = {_file(finding) for finding in lacking}
    first = min(lacking, key=lambda finding: (_file(finding), _line(finding)), default=None)
    if client is None and len(homes) > 1:
        words = f"{' and '.join(sorted(homes))} need one client: make it in a file of its own."
        yield Finding(topic, "hint", words, _MAKE, _shared_file(homes))
    for finding in found:
        if finding not in lacking:
            yield finding
        elif client is not None:
            yield _told(finding, client.name, _reached(sources, client, _file(finding)))
        elif len(homes) > 1:
            yield _told(finding, "ai", f"from {_dotted(_shared_file(homes))} import ai")
        else:
            yield _told(finding, "ai", f"{_MAKE}{_once(sources, lacking)}" if finding is first else "")


def _client_of(sources: Sources) -> _Client | None:
    """Return the client that the project has under a name: in a module rather than in a function."""
    made = [use for use in sources.calls_of(PACKAGE, ("AmplitudeAI",)) if use.target.isidentifier()]
    made.sort(key=lambda use: len(use.module.functions_around(use.node)))
    if made:
        return _Client(made[0].target, made[0])
    for use in sources.calls_of(PACKAGE, (FLASK_DOOR,)):
        if use.target.isidentifier() and use.call is not None and use.call.args:
            return _Client(f"{use.target}.client", use)
    return _Client("get_client()") if is_of_django(sources) else None


def _reached(sources: Sources, client: _Client, file: str) -> str:
    """Return the line by which a file gets at the client."""
    use = client.use
    if use is None:
        return f"from {PACKAGE}.django import get_client"
    home, name = use.module, client.name.partition(".")[0]
    if home.path == file:
        return ""
    if use.module.functions_around(use.node) or file in _imported_by(sources, home):
        moved = _dotted(_shared_file({home.path, file}))
        return f"from {moved} import {name}   # move {name} there from {use.place}; import it in both files"
    return f"from {_dotted(home.path)} import {name}"


def _told(finding: Finding, name: str, prelude: str) -> Finding:
    """Write a fix out: imports first, and the client before the line that uses it."""
    lines = [*prelude.splitlines(), *finding.fix.replace(CLIENT, name).splitlines()]
    lines.sort(key=lambda line: not line.startswith(f"from {PACKAGE}"))
    return finding._replace(fix="\n".join(lines))


def _once(sources: Sources, lacking: list[Finding]) -> str:
    nameless = next(iter(sources.calls_of(PACKAGE, ("AmplitudeAI",))), None)
    instead = f", also for the one in {nameless.place}" if nameless is not None else ""
    return f"   # once, above all that uses it{instead}" if instead or len(lacking) > 1 else ""


def _imported_by(sources: Sources, module: Module) -> set[str]:
    """Return the files that a module imports, directly or through others that were read."""
    reached: set[str] = set()
    ahead = [module]
    while ahead:
        for other in sources.imported_by(ahead.pop()):
            if other.path not in reached:
                reached.add(other.path)
                ahead.append(other)
    return reached


def _shared_file(files: set[str]) -> str:
    """Return a file beside the others, or in the nearest folder above all of them."""
    folders = [PurePosixPath(file).parent for file in sorted(files)]
    shared = folders[0]
    while not all(folder.is_relative_to(shared) for folder in folders):
        shared = shared.parent
    return (shared / f"{_SHARED}.py").as_posix()


def _dotted(file: str) -> str:
    parts = PurePosixPath(file).with_suffix("").parts
    parts = parts[1:] if parts[0] == "src" else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _file(finding: Finding) -> str:
    return finding.place.rpartition(":")[0]


def _line(finding: Finding) -> int:
    return int(finding.place.rpartition(":")[2])
