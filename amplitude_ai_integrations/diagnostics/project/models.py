"""Model clients: those whose calls are observed, and those whose calls nobody sees."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from ..finding import Finding, State
from ..variables import AUTO_PATCH, is_on
from .classes import BEDROCK, LITELLM, LITELLM_DOOR, OURS, VENDORS
from .client import CLIENT
from .kinds import DOORS, FLASK_DOOR
from .module import Use
from .observed import Observed
from .settings import is_of_django
from .sources import PACKAGE, Sources
from .unobserved import Seen
from .unseen import unseen_calls
from .vendors import ellipsis_of, made_clients, misnamed, target_of

_TRACKED_BY_HAND: Final = ("track_ai_message", "track_conversation")
_OURS: Final = (*OURS, "wrap")


class _Line(NamedTuple):
    """What one line observes, in words, and the classes of which such clients are."""

    what: str
    classes: frozenset[str]


_LINES: Final = {
    "patch": _Line("all clients of all providers", frozenset({BEDROCK}).union(*VENDORS.values())),
    "patch_openai": _Line("all clients of OpenAI", frozenset({"OpenAI", "BedrockOpenAI"})),
    "patch_async_openai": _Line(
        "all clients of AsyncOpenAI", frozenset({"AsyncOpenAI", "AsyncBedrockOpenAI"})
    ),
    "patch_azure_openai": _Line(
        "all clients of AzureOpenAI and AsyncAzureOpenAI", frozenset(VENDORS["azure"])
    ),
    "patch_anthropic": _Line("all clients of anthropic", frozenset(VENDORS["anthropic"])),
    "patch_gemini": _Line("all clients of google.genai", frozenset(VENDORS["gemini"])),
    "patch_mistral": _Line("all clients of mistralai", frozenset(VENDORS["mistral"])),
    "patch_bedrock": _Line(f"all {BEDROCK} clients", frozenset({BEDROCK})),
    LITELLM_DOOR: _Line(f"all calls of {LITELLM}", frozenset({LITELLM})),
}


def model_clients(
    sources: Sources, topic: str, environment: Mapping[str, str], frameworks: Observed
) -> Iterator[Finding]:
    """Say which model clients are observed, and which are not."""
    observed = list(sources.calls_of(PACKAGE, _OURS))
    lines = list(sources.calls_of(PACKAGE, tuple(_LINES)))
    is_run_by_us = is_on(environment, AUTO_PATCH)
    if is_run_by_us or _has_somewhere(sources, [*observed, *lines]):
        yield from _in_order(topic, observed, lines)
    else:
        yield from _homeless(topic, [*observed, *lines])
    if is_run_by_us:
        yield Finding(topic, "ok", f"{AUTO_PATCH} is on: what amplitude-ai-instrument runs is observed.")
    yield from _undecided(sources, topic, [*observed, *lines])
    for made in misnamed(sources):
        yield Finding(topic, "problem", f"{made.words}.", made.fix, made.use.place)
    covered = frozenset().union(*(_LINES[line.name].classes for line in lines))
    is_by_hand = any(_is_by_hand(sources))
    state: State = "hint" if is_by_hand or is_run_by_us else "warning" if observed or lines else "problem"
    seen = "seen only below amplitude-ai-instrument" if is_run_by_us else "not seen"
    for made in made_clients(sources):
        if made.name in covered or (made.is_wrappable and _is_wrapped(sources, made.use)):
            continue
        if frameworks.has_taken(made.use, {*_names(made.use)}):
            continue
        if not made.name and is_by_hand:
            continue
        words = f"{made.words}: its calls are {seen if made.name in _LINES['patch'].classes else 'not seen'}."
        yield Finding(topic, state, words, made.fix, made.use.place)
    if not is_by_hand:
        yield from unseen_calls(sources, topic)


def seen_without_doors(sources: Sources, environment: Mapping[str, str]) -> Seen:
    """Return what is told of agents that no door for their framework tells of."""
    uses = sources.calls_of(PACKAGE, (*_OURS, *_LINES))
    has_clients = any(uses) or is_on(environment, AUTO_PATCH)
    return Seen(has_clients=has_clients, is_by_hand=any(_is_by_hand(sources)))


def has_home(sources: Sources) -> bool:
    """Tell whether there is an ``AmplitudeAI`` to which lines of ours may report that do not name one."""
    return _has_somewhere(sources, list(sources.calls_of(PACKAGE, (*_OURS, *_LINES))))


def _in_order(topic: str, observed: list[Use], lines: list[Use]) -> Iterator[Finding]:
    """Say what is observed."""
    if observed:
        words = f"{_what_is(observed[0])} is observed." if len(observed) == 1 else ""
        words = words or f"{len(observed)} clients are observed."
        yield Finding(topic, "ok", words, place=observed[0].place)
    for line in lines:
        yield Finding(topic, "ok", f"{line.name}() observes {_LINES[line.name].what}.", place=line.place)


def _what_is(use: Use) -> str:
    """Return what a client is called: a class of ours, or what is given to ``wrap()``."""
    if use.name != "wrap" or use.call is None:
        return use.name
    given = next(iter((*use.call.args, *(word.value for word in use.call.keywords))), None)
    if isinstance(given, ast.Call):
        return f"{ast.unparse(given.func)}()"
    return ast.unparse(given) if isinstance(given, (ast.Name, ast.Attribute)) else "A wrapped client"


def _has_somewhere(sources: Sources, observed: list[Use]) -> bool:
    """Tell whether an ``AmplitudeAI`` may be there: one is named, or something is told where to report."""
    if is_of_django(sources) or any(use.name == "wrap" or _says_where(use) for use in observed):
        return True
    return any(sources.uses("AmplitudeAI", "MockAmplitudeAI", "get_client", *DOORS))


def _homeless(topic: str, observed: list[Use]) -> Iterator[Finding]:
    """Say which clients raise an error, since there is nowhere to report to."""
    for use in observed:
        words = f"{use.name} raises ConfigurationError: no AmplitudeAI is made here for it to report to."
        called = f"{use.name}({ellipsis_of(use)}amplitude={CLIENT})"
        fix = called if use.name in _LINES else f"{target_of(use)} = {called}"
        yield Finding(topic, "problem", words, fix, use.place)


def _undecided(sources: Sources, topic: str, observed: Iterable[Use]) -> Iterator[Finding]:
    """Say which clients do not tell where to report, where there is more than one place."""
    made = {(use.module.path, use.target or use.place): use for use in _reporting(sources)}
    if len(made) < 2:
        return
    places = ", ".join(dict.fromkeys(use.place for use in made.values()))
    for use in observed:
        if use.name != "wrap" and not _says_where(use):
            words = (
                f"{use.name} is not told where to report: an error where a program makes several of those in "
            )
            words += f"{places}."
            fix = f"{use.name}(..., amplitude={CLIENT})   # better still: one AmplitudeAI() for all"
            yield Finding(topic, "warning", words, fix, use.place)


def _says_where(use: Use) -> bool:
    call = use.call
    if call is None:
        return False
    return bool(call.args) or any(word.arg in ("amplitude", None) for word in call.keywords)


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
    names = {*_names(use)}
    for wrapping in sources.calls_of(PACKAGE, _OURS):
        for node in ast.walk(wrapping.node):
            if node is use.node or getattr(node, "attr", getattr(node, "id", None)) in names:
                return True
    return False


def _names(use: Use) -> Iterator[str]:
    """Yield the names by which a client may be given to something."""
    yield from {use.target.rpartition(".")[2], *_carriers(use)} - {""}


def _carriers(use: Use) -> Iterator[str]:
    """Yield the names by which a client is known that is not given to a variable of its own."""
    for outer in use.module.above(use.node):
        if isinstance(outer, ast.keyword):
            yield outer.arg or ""
        elif isinstance(outer, ast.Return):
            yield use.module.functions_around(use.node)[0].name
