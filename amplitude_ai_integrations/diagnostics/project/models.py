"""Model clients: those whose calls are observed, and those whose calls nobody sees."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ...registry import PROVIDERS
from ..finding import Finding, State
from ..variables import AUTO_PATCH, is_on
from .client import CLIENT
from .kinds import FLASK_DOOR
from .module import Use
from .sources import PACKAGE, Sources
from .unseen import unseen_calls
from .vendors import BEDROCK, made_clients

_TRACKED_BY_HAND: Final = ("track_ai_message", "track_conversation")
_CLIENTS: Final = tuple(name for known in PROVIDERS.values() for name in known.clients)
_OURS: Final = (*_CLIENTS, "Bedrock", "Gemini", "wrap")
# The lines that observe all clients of some classes.
_LINES: Final = {
    "patch": frozenset({*_CLIENTS, BEDROCK}),
    "patch_openai": frozenset({"OpenAI"}),
    "patch_async_openai": frozenset({"AsyncOpenAI"}),
    "patch_azure_openai": frozenset(PROVIDERS["azure"].clients),
    "patch_anthropic": frozenset(PROVIDERS["anthropic"].clients),
    "patch_gemini": frozenset(PROVIDERS["gemini"].clients),
    "patch_mistral": frozenset(PROVIDERS["mistral"].clients),
    "patch_bedrock": frozenset({BEDROCK}),
}


def model_clients(sources: Sources, topic: str, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Say which model clients are observed, and which are not."""
    observed = list(sources.calls_of(PACKAGE, _OURS))
    if observed:
        words = f"{observed[0].name} is observed{_and_more(observed)}."
        yield Finding(topic, "ok", words, place=observed[0].place)
    lines = list(sources.calls_of(PACKAGE, tuple(_LINES)))
    for line in lines:
        yield Finding(topic, "ok", f"{line.name}() observes all clients {_of_what(line)}.", place=line.place)
    is_run_by_us = is_on(environment, AUTO_PATCH)
    if is_run_by_us:
        yield Finding(topic, "ok", f"{AUTO_PATCH} is on: what amplitude-ai-instrument runs is observed.")
    yield from _undecided(sources, topic, [*observed, *lines])
    covered = frozenset().union(*(_LINES[line.name] for line in lines))
    is_by_hand = any(_is_by_hand(sources))
    state: State = "hint" if is_by_hand or is_run_by_us else "warning" if observed or lines else "problem"
    seen = "seen only below amplitude-ai-instrument" if is_run_by_us else "not seen"
    for made in made_clients(sources):
        if made.name not in covered and not _is_wrapped(sources, made.use):
            yield Finding(topic, state, f"{made.words}: its calls are {seen}.", made.fix, made.use.place)
    if not is_by_hand:
        yield from unseen_calls(sources, topic)


def _of_what(line: Use) -> str:
    return "of all providers" if line.name == "patch" else f"of {', '.join(sorted(_LINES[line.name]))}"


def _undecided(sources: Sources, topic: str, observed: Iterable[Use]) -> Iterator[Finding]:
    """Say which clients do not tell where to report, where there is more than one place."""
    made = {(use.module.path, use.target or use.place): use for use in _reporting(sources)}
    if len(made) < 2:
        return
    places = ", ".join(use.place for use in made.values())
    for use in observed:
        if use.name != "wrap" and not _says_where(use):
            words = (
                f"{use.name} is not told where to report: an error where a program makes several of {places}."
            )
            fix = f"{use.name}(..., amplitude={CLIENT})   # better still: one AmplitudeAI() for all"
            yield Finding(topic, "warning", words, fix, use.place)


def _says_where(use: Use) -> bool:
    call = use.call
    if call is None:
        return False
    is_first = use.name in _LINES and bool(call.args)
    return is_first or any(word.arg in ("amplitude", None) for word in call.keywords)


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


def _is_by_hand(sources: Sources) -> Iterator[bool]:
    for module in sources.modules:
        names = {getattr(call.func, "attr", getattr(call.func, "id", "")) for call in module.calls}
        yield not names.isdisjoint(_TRACKED_BY_HAND)


def _is_wrapped(sources: Sources, use: Use) -> bool:
    """Tell whether a client is given to ``wrap()``, or to a class of ours: at once, by its name, or by what
    returns it.
    """
    names = {use.target.rpartition(".")[2], *_carriers(use)} - {""}
    for wrapping in sources.calls_of(PACKAGE, _OURS):
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
