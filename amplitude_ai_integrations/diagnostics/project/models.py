"""Model clients: those whose calls are observed, and those whose calls nobody sees."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ...registry import PROVIDERS
from ..finding import Finding
from .client import CLIENT
from .kinds import FLASK_DOOR
from .module import Use
from .sources import PACKAGE, Sources

_TRACKED_BY_HAND = ("track_ai_message", "track_conversation")


def model_clients(sources: Sources, topic: str) -> Iterator[Finding]:
    """Say which model clients are observed, which are not, and which cannot be yet."""
    observed = list(_observed(sources))
    if observed:
        words = f"{observed[0].name} is observed{_and_more(observed)}."
        yield Finding(topic, "ok", words, place=observed[0].place)
    yield from _undecided(sources, topic, observed)
    is_by_hand = any(_is_by_hand(sources))
    for known in PROVIDERS.values():
        for use in sources.calls_of(known.module, known.clients):
            if _is_wrapped(sources, use):
                continue
            words = f"{use.name} is {known.module}'s own class: its calls are not seen."
            fix = f"from {PACKAGE} import {use.name}   # instead of: from {known.module} import {use.name}"
            fix += f"\n{_observed_line(use)}"
            state = "hint" if is_by_hand else "warning" if observed else "problem"
            yield Finding(topic, state, words, fix, use.place)  # type: ignore[arg-type]


def _observed_line(use: Use) -> str:
    target = use.target or "client"
    has_more = use.call is not None and (use.call.args or use.call.keywords)
    made = f"{target} = {use.name}({'..., ' if has_more else ''}amplitude={CLIENT})"
    return f"{made}\n# or, for a client made elsewhere: wrap({target}, {CLIENT})"


def _undecided(sources: Sources, topic: str, observed: list[Use]) -> Iterator[Finding]:
    """Say which clients do not tell where to report, where there is more than one place."""
    made = {(use.module.path, use.target or use.place): use for use in _reporting(sources)}
    if len(made) < 2:
        return
    places = ", ".join(use.place for use in made.values())
    for use in observed:
        given = {word.arg for word in use.call.keywords} if use.call is not None else set()
        if use.name != "wrap" and not given & {"amplitude", None}:
            words = (
                f"{use.name} is not told where to report: an error where a program makes several of {places}."
            )
            fix = f"{use.name}(..., amplitude={CLIENT})   # better still: one AmplitudeAI() for all"
            yield Finding(topic, "warning", words, fix, use.place)


def _reporting(sources: Sources) -> Iterator[Use]:
    """Yield the places where an ``AmplitudeAI`` is made, by the project or by Flask's extension for it."""
    yield from sources.calls_of(PACKAGE, ("AmplitudeAI",))
    for use in sources.calls_of(PACKAGE, (FLASK_DOOR,)):
        call = use.call
        if (
            call is not None
            and len(call.args) < 2
            and all(word.arg != "amplitude_ai" for word in call.keywords)
        ):
            yield use


def _observed(sources: Sources) -> Iterator[Use]:
    classes = tuple(name for known in PROVIDERS.values() for name in known.clients)
    yield from sources.calls_of(PACKAGE, (*classes, "wrap"))


def _is_by_hand(sources: Sources) -> Iterator[bool]:
    for module in sources.modules:
        names = {getattr(call.func, "attr", getattr(call.func, "id", "")) for call in module.calls}
        yield not names.isdisjoint(_TRACKED_BY_HAND)


def _is_wrapped(sources: Sources, use: Use) -> bool:
    """Tell whether a client is given to ``wrap()``: at once, by its name, or by what returns it."""
    names = {use.target.rpartition(".")[2], *_carriers(use)} - {""}
    for wrapping in sources.calls_of(PACKAGE, ("wrap",)):
        for node in ast.walk(wrapping.node):
            if node is use.node or getattr(node, "attr", getattr(node, "id", None)) in names:
                return True
    return False


def _carriers(use: Use) -> Iterator[str]:
    """Yield the names by which a client is known that is not given to a variable of its own."""
    for outer in use.module.above(use.node):
        if isinstance(outer, ast.keyword):
            yield outer.arg or ""
        elif isinstance(outer, ast.Return):
            yield use.module.functions_around(use.node)[0].name


def _and_more(uses: list[Use]) -> str:
    return f", in {len(uses)} places" if len(uses) > 1 else ""
