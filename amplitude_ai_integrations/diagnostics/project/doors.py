"""Which application asks for which line of ours, and whether it is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..finding import Finding
from .arguments import mistake_of
from .client import CLIENT
from .kinds import ASGI_DOOR, DOORS, KINDS, WORKERS, WSGI_DOOR, Kind
from .module import Use
from .sources import COMMERCIAL, PACKAGE, Sources

_BRIDGES: Final = {"a2wsgi", "asgiref.wsgi"}  # with which an application takes the line of the other kind


def missing_doors(sources: Sources, topic: str, *, has_sessions: bool) -> Iterator[Finding]:
    """Say which applications have no line of ours, or that of the other kind, and which have one."""
    named: set[str] = set()
    served = {door for kind in KINDS if _apps(sources, kind) for door in kind.doors}
    if _BRIDGES & sources.imported:
        served.update((ASGI_DOOR, WSGI_DOOR))
    for kind in KINDS:
        apps = _apps(sources, kind)
        if not apps:
            continue
        uses = [use for use in sources.uses(*kind.doors) if not _is_foreign(use)]
        strangers = [use for use in sources.uses(*{ASGI_DOOR, WSGI_DOOR} - served) if not _is_foreign(use)]
        named.update(kind.doors, () if uses else (use.name for use in strangers))
        if uses and all(mistake_of(use) for use in uses):
            continue  # which is said by itself
        if uses:
            words = f"{kind.name}: {uses[0].name} stands around the requests."
            yield Finding(topic, "ok", words, place=uses[0].place)
        elif strangers:
            words = f"{strangers[0].name} cannot serve {kind.name}, which takes {kind.doors[0]}."
            yield Finding(topic, "problem", words, _fix(kind, apps[0]), strangers[0].place)
        elif has_sessions:
            words = f"{kind.name}: no {kind.doors[0]}; your own sessions are all there is."
            yield Finding(topic, "hint", words, _fix(kind, apps[0]), apps[0].place)
        else:
            words = f"{kind.name} application without {kind.doors[0]}: its requests have no session."
            yield Finding(topic, "problem", words, _fix(kind, apps[0]), apps[0].place)
    for use in sources.uses(*{WSGI_DOOR, ASGI_DOOR} - named):
        is_right = use.call is not None and not _is_foreign(use) and not mistake_of(use)
        if is_right:  # around an application without a framework
            yield Finding(topic, "ok", f"{use.name} stands around the requests.", place=use.place)


def missing_workers(sources: Sources, topic: str) -> Iterator[Finding]:
    """Say which workers do not carry sessions from where a task was sent to where it runs."""
    for kind in WORKERS:
        apps = _apps(sources, kind)
        uses = list(sources.uses(*kind.doors))
        if not apps or (uses and all(mistake_of(use) for use in uses)):
            continue
        if uses:
            words = f"{kind.name}: {uses[0].name} carries sessions into tasks."
            yield Finding(topic, "ok", words, place=uses[0].place)
        else:
            words = f"{kind.name} without {kind.doors[0]}: agents in its tasks have no session."
            yield Finding(topic, "warning", words, _fix(kind, apps[0]), apps[0].place)


def foreign_doors(sources: Sources, topic: str) -> Iterator[Finding]:
    """Say where a line of the same name belongs to another package."""
    for use in sources.uses(*DOORS):
        if _is_foreign(use):
            words = f"{use.name} is imported from {COMMERCIAL}, which is another package."
            fix = f"from {PACKAGE}.middleware import {use.name}"
            yield Finding(topic, "warning", words, fix, use.place)


def _apps(sources: Sources, kind: Kind) -> list[Use]:
    return list(sources.calls_of(kind.package, kind.makers))


def _fix(kind: Kind, app: Use) -> str:
    line = kind.line.format(app=app.target or "app", ai=CLIENT)
    return f"from {PACKAGE}.{kind.home} import {kind.doors[0]}\n{line}"


def _is_foreign(use: Use) -> bool:
    return use.module.path_of(use.node).startswith(COMMERCIAL + ".")
