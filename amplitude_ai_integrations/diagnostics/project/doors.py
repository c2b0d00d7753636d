"""Which application asks for which line of ours, and whether it is there."""

from __future__ import annotations

from collections.abc import Iterator

from ..finding import Finding
from .kinds import ASGI_DOOR, DOORS, KINDS, WORKERS, WSGI_DOOR, Kind
from .module import Use
from .sources import COMMERCIAL, PACKAGE, Sources


def missing_doors(sources: Sources, topic: str, *, has_sessions: bool) -> Iterator[Finding]:
    """Say which applications have no line of ours, and which have one."""
    named: set[str] = set()
    for kind in KINDS:
        apps = list(sources.calls_of(kind.package, kind.makers))
        if not apps:
            continue
        uses = [use for use in sources.uses(*kind.doors) if not _is_foreign(use)]
        named.update(kind.doors)
        if uses:
            words = f"{kind.name}: {uses[0].name} stands around the requests."
            yield Finding(topic, "ok", words, place=uses[0].place)
        elif has_sessions:
            words = f"{kind.name}: no {kind.doors[0]}; your own sessions are all there is."
            yield Finding(topic, "hint", words, _fix(sources, kind, apps[0]), apps[0].place)
        else:
            words = f"{kind.name} application without {kind.doors[0]}: its requests have no session."
            yield Finding(topic, "problem", words, _fix(sources, kind, apps[0]), apps[0].place)
    for use in sources.uses(*{WSGI_DOOR, ASGI_DOOR} - named):
        if use.call is not None and not _is_foreign(use):  # around an application without a framework
            yield Finding(topic, "ok", f"{use.name} stands around the requests.", place=use.place)


def missing_workers(sources: Sources, topic: str) -> Iterator[Finding]:
    """Say which workers do not carry sessions from where a task was sent to where it runs."""
    for kind in WORKERS:
        apps = list(sources.calls_of(kind.package, kind.makers))
        if not apps:
            continue
        uses = list(sources.uses(*kind.doors))
        if uses:
            words = f"{kind.name}: {uses[0].name} carries sessions into tasks."
            yield Finding(topic, "ok", words, place=uses[0].place)
        else:
            words = f"{kind.name} without {kind.doors[0]}: agents in its tasks have no session."
            yield Finding(topic, "warning", words, _fix(sources, kind, apps[0]), apps[0].place)


def foreign_doors(sources: Sources, topic: str) -> Iterator[Finding]:
    """Say where a line of the same name belongs to another package."""
    for use in sources.uses(*DOORS):
        if _is_foreign(use):
            words = f"{use.name} is imported from {COMMERCIAL}, which is another package."
            fix = f"from {PACKAGE}.middleware import {use.name}"
            yield Finding(topic, "warning", words, fix, use.place)


def client_name(sources: Sources) -> str | None:
    """Return the variable that holds the project's client, if there is one."""
    for use in sources.calls_of(PACKAGE, ("AmplitudeAI",)):
        if use.target.isidentifier():
            return use.target
    return None


def _fix(sources: Sources, kind: Kind, app: Use) -> str:
    client = client_name(sources)
    lines = [] if client else [f"from {PACKAGE} import AmplitudeAI"]
    lines.append(f"from {PACKAGE}.{kind.home} import {kind.doors[0]}")
    lines.append(kind.line.format(app=app.target or "app", ai=client or "AmplitudeAI()"))
    return "\n".join(lines)


def _is_foreign(use: Use) -> bool:
    return use.module.path_of(use.node).startswith(COMMERCIAL + ".")
