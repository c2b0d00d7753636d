"""What observes the agent frameworks of a project: our doors, what makes spans, and what they are given."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from .classes import VENDORS
from .frameworks import (
    BY_DOOR,
    ENABLE,
    INSTRUMENTING,
    LOOP,
    MANAGED,
    SPAN_DOORS,
    Framework,
    owners_of,
)
from .module import Use
from .runs import Run
from .sources import COMMERCIAL, PACKAGE, Sources

_SETS_PROVIDER: Final = ("set_tracer_provider", *INSTRUMENTING)
_MESSAGES: Final = re.compile(r"\.messages\.(?:create|stream|parse|tool_runner)$")
_WHERE: Final = ("amplitude", "amplitude_api_key", None)


class Observed:
    """The doors of ours that a project names, and what they observe."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.doors = [use for use in sources.uses(*BY_DOOR) if _is_of(PACKAGE, use)]
        self.span_doors = [use for use in sources.uses(*SPAN_DOORS) if _is_of(PACKAGE, use)]
        self.span_doors += _enabled(sources)
        self.foreign = [use for use in sources.uses(*BY_DOOR, *SPAN_DOORS) if _is_of(COMMERCIAL, use)]

    def doors_of(self, framework: Framework) -> list[Use]:
        """Return the places that name a door of a framework."""
        return [use for use in self.doors if use.name in framework.doors]

    def run_of(self, framework: Framework) -> Run | None:
        """Return the first place that runs a framework."""
        return next((run for run in self._sources.runs if run.framework is framework), None)

    def makes_spans(self, framework: Framework) -> bool:
        """Tell whether something makes spans of a framework: itself, or what instruments it."""
        if not framework.doors:
            words = framework.makes_spans
            return not words or self._sources.mentions_anywhere(*words)
        names = "|".join((*framework.packages, "openai_agents" if "agents" in framework.packages else r"\0"))
        own = re.compile(rf"(?:openinference|opentelemetry)\.instrumentation\.(?:{names})")
        imported = self._sources.imported
        return bool(imported & set(INSTRUMENTING)) or any(own.fullmatch(path) for path in imported)

    @property
    def has_tracer_provider(self) -> bool:
        """Whether the project sets a tracer provider."""
        return self._sources.mentions_anywhere(*_SETS_PROVIDER)

    def is_idle(self, use: Use) -> bool:
        """Tell whether a handler is made, and nothing ever gets it."""
        call = use.call
        if call is None or call.func is not use.node:
            return False
        above = next(use.module.above(call))
        if isinstance(above, ast.Expr):
            return True
        name = target_of(use).rpartition(".")[2]
        if not name or not isinstance(above, (ast.Assign, ast.AnnAssign)):
            return False
        if any(_reads(node, name) for node in use.module.nodes):
            return False
        return not self._sources.mentions_anywhere(name, besides=use.module.path)

    def has_taken(self, use: Use, names: set[str]) -> bool:
        """Tell whether a model client, known by some names, is given to what tells of its calls itself."""
        if any(path.endswith(f".{LOOP}") or self._is_observed(path) for path in _calls_around(use)):
            return True
        if any(self._is_observed(taker.path) and names & taker.given for taker in self._sources.takers):
            return True
        if any(door.name == LOOP and names & _words(door.call) for door in self.doors):
            return True
        managed = BY_DOOR[MANAGED]
        is_managed = bool(self.doors_of(managed)) or self.run_of(managed) is not None
        return is_managed and use.name in VENDORS["anthropic"] and not self._calls_messages()

    def _is_observed(self, path: str) -> bool:
        """Tell whether what is called is part of a framework that is observed."""
        return any(
            self.doors_of(framework) if framework.doors else self.span_doors for framework in owners_of(path)
        )

    def _calls_messages(self) -> bool:
        return any(
            isinstance(call.func, ast.Attribute) and _MESSAGES.search(ast.unparse(call.func))
            for module in self._sources.modules
            for call in module.calls
        )


def target_of(use: Use) -> str:
    """Return the name to which a door is given that is called here."""
    return use._replace(node=use.call).target if use.call is not None else ""


def says_where(use: Use) -> bool:
    """Tell whether a door is told where to report, or may be: it is made elsewhere."""
    call = use.call
    if call is None or call.func is not use.node:
        return True
    return bool(call.args) or any(word.arg in _WHERE for word in call.keywords)


def called(use: Use) -> str:
    """Return what a reader is told of a door for spans."""
    return f"{ENABLE}()" if use.name == ENABLE else use.name


def _enabled(sources: Sources) -> Iterator[Use]:
    for module in sources.modules:
        for call in module.calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr == ENABLE:
                yield Use(module, call, ENABLE, call)


def _is_of(package: str, use: Use) -> bool:
    return use.module.path_of(use.node).startswith(f"{package}.")


def _calls_around(use: Use) -> Iterator[str]:
    for outer in use.module.above(use.node):
        if isinstance(outer, ast.Call):
            yield use.module.path_of(outer.func)


def _words(call: ast.Call | None) -> set[str]:
    nodes = ast.walk(call) if call is not None else ()
    return {getattr(node, "attr", getattr(node, "id", "")) for node in nodes}


def _reads(node: ast.AST, name: str) -> bool:
    is_named = getattr(node, "attr", getattr(node, "id", None)) == name
    return is_named and isinstance(getattr(node, "ctx", None), ast.Load)
