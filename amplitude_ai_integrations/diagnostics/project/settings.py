"""The settings of a Django project: whether our middleware and our application are named in them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from ..finding import Finding
from .module import Module
from .sources import PACKAGE, Sources

APPLICATION: Final = f"{PACKAGE}.django"
MIDDLEWARE: Final = f"{APPLICATION}.AmplitudeAIMiddleware"
VARIABLE: Final = "DJANGO_SETTINGS_MODULE"
_PROGRAMS: Final = ("manage.py", "wsgi.py", "asgi.py")


def is_of_django(sources: Sources) -> bool:
    """Tell whether there are settings of Django's."""
    return any(_lists(module, "MIDDLEWARE") for module in sources.modules)


def django_settings(
    sources: Sources, topic: str, *, has_sessions: bool, door_is_asked: bool, named: str | None
) -> Iterator[Finding]:
    """Say what is missing in the settings, or there twice; ``named`` are those of the environment."""
    for modules in used_settings(sources, named):
        yield from _judged(modules, topic, has_sessions=has_sessions)
    if not door_is_asked and is_of_django(sources) and _names_application(sources.strings):
        words = "Django: what the settings' values come to is not looked at from here."
        yield Finding(topic, "hint", words, "python manage.py amplitude_ai doctor   # also checks the values")


def used_settings(sources: Sources, named: str | None) -> list[list[Module]]:
    """Return the settings that the project runs with, each with what they import; all files if none says."""
    names = [named] if named else list(dict.fromkeys(_names(sources)))
    chains = [_with_imports(sources, module) for module in map(sources.named, names) if module is not None]
    known = [chain for chain in chains if any(_lists(module, "MIDDLEWARE") for module in chain)]
    return known or [sources.modules]


def _names(sources: Sources) -> Iterator[str]:
    """Yield the settings that the project's ways in name."""
    for program in _PROGRAMS:
        for module in sources.modules:
            if module.path.rpartition("/")[2] == program:
                yield from _set_in(module)


def _set_in(module: Module) -> Iterator[str]:
    """Yield what the variable is set to, by ``setdefault(name, value)`` or ``environ[name] = value``."""
    for text in module.strings:
        if text.value == VARIABLE:
            around = next(outer for outer in module.above(text) if not isinstance(outer, ast.Subscript))
            value = around.args[-1] if isinstance(around, ast.Call) else getattr(around, "value", None)
            if isinstance(value, ast.Constant) and value is not text:
                yield str(value.value)


def _with_imports(sources: Sources, module: Module) -> list[Module]:
    chain = [module]
    for one in chain:  # grows while it is read
        chain += [other for other in sources.imported_by(one) if other not in chain]
    return chain


def _judged(modules: list[Module], topic: str, *, has_sessions: bool) -> Iterator[Finding]:
    listed = [(module, node) for module in modules for node in _lists(module, "MIDDLEWARE")]
    if not listed:
        return
    module, node = listed[0]
    ours = [m.place(s) for m in modules for s in m.strings if s.value == MIDDLEWARE]
    if ours:
        yield Finding(topic, "ok", "Django: our middleware is in MIDDLEWARE.", place=ours[0])
        if not has_sessions and not any(b"SESSION_ID_RESOLVER" in m.source for m in modules):
            words = "Django: there is no SESSION_ID_RESOLVER: each request is a session of its own."
            fix = 'AMPLITUDE_AI = {"SESSION_ID_RESOLVER": "your.module.function", ...}'
            yield Finding(topic, "hint", words, fix, ours[0])
    else:
        words = "Django: MIDDLEWARE does not name ours: requests have no session."
        fix = f'MIDDLEWARE = ["{MIDDLEWARE}", ...]'
        yield Finding(topic, "hint" if has_sessions else "problem", words, fix, module.place(node))
    if not _names_application(str(s.value) for m in modules for s in m.strings):
        apps = [(module, node) for module in modules for node in _lists(module, "INSTALLED_APPS")]
        at, where = apps[0] if apps else (module, node)
        words = "Django: INSTALLED_APPS does not name us: no checks, no `manage.py amplitude_ai`."
        yield Finding(topic, "warning", words, f'INSTALLED_APPS = [..., "{APPLICATION}"]', at.place(where))
    for module, node in listed:
        yield from _twice(module, node, topic)


def _names_application(strings: Iterable[str]) -> bool:
    return any(name == APPLICATION or name.startswith(f"{APPLICATION}.apps.") for name in strings)


def _twice(module: Module, node: ast.AST, topic: str) -> Iterator[Finding]:
    named = [item for item in ast.walk(node) if isinstance(item, ast.Constant) and item.value == MIDDLEWARE]
    if len(named) > 1:
        words = f"Django: our middleware is in MIDDLEWARE twice; the other is in line {named[0].lineno}."
        yield Finding(
            topic, "problem", words, "Keep one; two would be two sessions a request.", module.place(named[1])
        )


def _lists(module: Module, name: str) -> list[ast.AST]:
    """Return the lists that a module's settings of this name are made of."""
    return [
        node.value
        for node in module.nodes
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == name
    ]
