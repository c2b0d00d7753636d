"""Whether a line of ours stands where it runs once, before the first request."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from ..finding import Finding
from .kinds import DOORS, KINDS
from .module import Module, Use
from .sources import Sources

_RUNNERS: Final = {
    *("aiohttp.web.run_app", "uvicorn.run", "waitress.serve", "werkzeug.serving.run_simple"),
    *("bottle.run", "hypercorn.run.run", "granian.run"),
}
_ROUTES: Final = {
    *("api_route", "delete", "get", "head", "options", "patch", "post", "put", "route", "websocket"),
    *("after_request", "before_request", "middleware", "on_event", "errorhandler", "exception_handler"),
}


def misplaced(sources: Sources, topic: str) -> Iterator[Finding]:
    """Say which lines come too late, run with each request, or stand there twice."""
    seen: dict[tuple[object, str], Use] = {}
    for use in sources.uses(*DOORS):
        blocking = _blocking_before(use)
        handler = _handler_around(use)
        if handler is not None:
            words = f"{use.name} is added in {handler}(), after the application has started."
            yield Finding(topic, "problem", words, "Move it to where the application is made.", use.place)
        elif blocking is not None:
            server = use.module.place(blocking)
            words = f"{use.name} comes after {server}, which returns only when the server stops."
            yield Finding(topic, "problem", words, "Move it above that line.", use.place)
        first = seen.setdefault((use.module.block_of(use.node), _around_what(use)), use)
        if first is not use and use.call is not None:
            words = f"{use.name} is there twice; the other is in line {first.node.lineno}."  # type: ignore[attr-defined]
            yield Finding(
                topic, "problem", words, "Keep one; two would be two sessions a request.", use.place
            )


def _around_what(use: Use) -> str:
    """Return what tells two lines apart that are no repetition: the door, and what it stands around."""
    call = use.call
    if call is None:
        return f"{id(use.node)}"
    if call.func is use.node:
        return f"{use.name} {ast.unparse(call.args[0]) if call.args else use.target}"
    return f"{use.name} {ast.unparse(call.func)}"


def _handler_around(use: Use) -> str | None:
    for function in use.module.functions_around(use.node):
        for decorator in function.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            if isinstance(called, ast.Attribute) and called.attr in _ROUTES:
                return function.name
    return None


def _blocking_before(use: Use) -> ast.AST | None:
    for statement in use.module.statements_before(use.node):
        if isinstance(statement, ast.If) and _is_main(statement.test):
            found = [_blocking(use.module, inner, also_by_name=False) for inner in statement.body]
        else:
            found = [_blocking(use.module, statement, also_by_name=True)]
        for node in found:
            if node is not None:
                return node
    return None


def _blocking(module: Module, statement: ast.stmt, *, also_by_name: bool) -> ast.AST | None:
    """Return the call in a simple statement that returns only when a server stops.

    A server that is given its application by name imports the file once more, as no main program.
    """
    if not isinstance(statement, (ast.Expr, ast.Assign, ast.Return)):
        return None
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and _runs(module, node):
            is_by_name = bool(node.args) and isinstance(node.args[0], ast.Constant)
            if also_by_name or not is_by_name:
                return node
    return None


def _is_main(test: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))


def _runs(module: Module, call: ast.Call) -> bool:
    path = module.path_of(call.func)
    if path in _RUNNERS or path.endswith(".serve_forever"):
        return True
    owner, _, method = path.rpartition(".")
    return method == "run" and owner in _applications(module)


def _applications(module: Module) -> set[str]:
    makers = {maker: kind.package for kind in KINDS for maker in kind.makers}
    found = set()
    for call in module.calls:
        path, _, name = module.path_of(call.func).rpartition(".")
        if name in makers and path.partition(".")[0] == makers[name]:
            found.add(Use(module, call, name, call).target)
    return found - {""}
