"""The settings of a Django project: whether our middleware and our application are named in them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from ..finding import Finding
from .module import Module
from .sources import PACKAGE, Sources

APPLICATION: Final = f"{PACKAGE}.django"
MIDDLEWARE: Final = f"{APPLICATION}.AmplitudeAIMiddleware"


def django_settings(sources: Sources, topic: str, *, has_sessions: bool) -> Iterator[Finding]:
    """Say what is missing in the settings, or there twice."""
    listed = [(module, node) for module in sources.modules for node in _lists(module, "MIDDLEWARE")]
    if not listed:
        return
    module, node = listed[0]
    strings = sources.strings
    if MIDDLEWARE in strings:
        place = next(m.place(s) for m in sources.modules for s in m.strings if s.value == MIDDLEWARE)
        yield Finding(topic, "ok", "Django: our middleware is in MIDDLEWARE.", place=place)
        if not has_sessions and not sources.mentions("SESSION_ID_RESOLVER"):
            words = "Django: there is no SESSION_ID_RESOLVER: each request is a session of its own."
            fix = 'AMPLITUDE_AI = {"SESSION_ID_RESOLVER": "your.module.function", ...}'
            yield Finding(topic, "hint", words, fix, place)
    else:
        words = "Django: MIDDLEWARE does not name ours: requests have no session."
        fix = f'MIDDLEWARE = ["{MIDDLEWARE}", ...]'
        yield Finding(topic, "hint" if has_sessions else "problem", words, fix, module.place(node))
    if not any(name == APPLICATION or name.startswith(f"{APPLICATION}.apps.") for name in strings):
        apps = [(module, node) for module in sources.modules for node in _lists(module, "INSTALLED_APPS")]
        at, where = apps[0] if apps else (module, node)
        words = "Django: INSTALLED_APPS does not name us: no checks, no `manage.py amplitude_ai`."
        yield Finding(topic, "warning", words, f'INSTALLED_APPS = [..., "{APPLICATION}"]', at.place(where))
    for module, node in listed:
        yield from _twice(module, node, topic)


def _twice(module: Module, node: ast.AST, topic: str) -> Iterator[Finding]:
    named = [item for item in ast.walk(node) if isinstance(item, ast.Constant) and item.value == MIDDLEWARE]
    if len(named) > 1:
        words = f"Django: our middleware is in MIDDLEWARE twice; the other is in line {named[0].lineno}."
        yield Finding(
            topic, "problem", words, "Keep one; two would be two sessions a request.", module.place(named[1])
        )


def _lists(module: Module, name: str) -> Iterator[ast.AST]:
    """Yield the lists that a module's settings of this name are made of."""
    for node in module.nodes:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign)
            else []
        )
        is_named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
        if is_named and isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            yield node.value
