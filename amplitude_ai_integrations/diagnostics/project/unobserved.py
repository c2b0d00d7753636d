"""Which agent frameworks are observed, by what, and the lines that let the others be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from ...registry import AGENT_FRAMEWORKS
from ..finding import Finding, State
from .client import CLIENT
from .frameworks import BY_DOOR, ENABLE, FRAMEWORKS, SPAN_HOME, Framework
from .module import Use
from .observed import Observed, called, says_where, target_of
from .runs import Run
from .sources import COMMERCIAL, PACKAGE

_OTEL: Final = AGENT_FRAMEWORKS["opentelemetry"]
_PROVIDER: Final = """from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
trace.set_tracer_provider(TracerProvider())"""
_PATCH: Final = f"from {PACKAGE} import patch\npatch({CLIENT})   # for its model calls"


class Seen(NamedTuple):
    """What is told without a framework's door: by observed model clients, by hand, and by spans."""

    has_clients: bool
    is_by_hand: bool
    has_spans: bool = False

    def of(self, framework: Framework) -> str:
        """Return what is told of a framework's runs, or an empty text."""
        if self.has_clients and framework.has_clients:
            return "of its runs, no more than the model calls is seen"
        if self.is_by_hand:
            return "of its runs, no more is seen than what is tracked by hand"
        return "of its runs, no more is seen than what makes spans of them" if self.has_spans else ""


def agent_frameworks(observed: Observed, topic: str, seen: Seen, *, has_home: bool) -> Iterator[Finding]:
    """Say which frameworks are observed; ``has_home`` is whether an ``AmplitudeAI`` may be there."""
    yield from _foreign(observed, topic)
    seen = seen._replace(has_spans=bool(observed.span_doors))
    is_enabled = has_told_of_spans = False
    for framework in FRAMEWORKS:
        doors, run = observed.doors_of(framework), observed.run_of(framework)
        if doors and framework.takes_client and not has_home and not any(map(says_where, doors)):
            yield _homeless(topic, doors[0])
        elif doors:
            yield _of_door(observed, topic, framework, doors)
        elif run is None or any(use.name in framework.doors for use in observed.foreign):
            continue
        elif observed.span_doors and (not framework.doors or observed.makes_spans(framework)):
            yield from _of_spans(observed, topic, framework, run, seen)
            has_told_of_spans = True
        elif framework.doors:
            yield _missing(topic, framework, run, _adding(framework, run), seen)
        else:
            fix = "\n".join(_enabling(observed, framework, seen, is_enabled=is_enabled))
            yield _missing(topic, framework, run, fix, seen)
            is_enabled = True
    if observed.span_doors and not has_told_of_spans:
        door = observed.span_doors[0]
        yield Finding(topic, "ok", f"{called(door)} makes events of spans.", place=door.place)


def _foreign(observed: Observed, topic: str) -> Iterator[Finding]:
    for use in observed.foreign:
        home = BY_DOOR[use.name].home if use.name in BY_DOOR else SPAN_HOME
        words = f"{use.name} is imported from {COMMERCIAL}, which is another package."
        yield Finding(topic, "warning", words, f"from {PACKAGE}.{home} import {use.name}", use.place)


def _homeless(topic: str, use: Use) -> Finding:
    words = f"{use.name} raises ConfigurationError: no AmplitudeAI is made here for it to report to."
    more = "..., " if use.call is not None and use.call.keywords else ""
    return Finding(topic, "problem", words, f"{use.name}({more}amplitude={CLIENT})", use.place)


def _of_door(observed: Observed, topic: str, framework: Framework, doors: list[Use]) -> Finding:
    used = next((use for use in doors if not observed.is_idle(use)), None)
    if used is not None:
        return Finding(topic, "ok", f"{framework.name} is observed by {used.name}.", place=used.place)
    words = f"{framework.name}: {doors[0].name} is made, and nothing uses it: no run is seen."
    fix = framework.used_as(target_of(doors[0])).replace("{ai}", CLIENT).replace("{client}", "client")
    return Finding(topic, "warning", words, fix, doors[0].place)


def _of_spans(
    observed: Observed, topic: str, framework: Framework, run: Run, seen: Seen
) -> Iterator[Finding]:
    door = observed.span_doors[0]
    if not observed.makes_spans(framework):
        words = f"{framework.name}: {called(door)} takes its spans, and nothing lets it make any."
        how = seen._replace(has_spans=False).of(framework)
        yield Finding(topic, _state(how), words, framework.fix, run.place)
        return
    words = f"{framework.name} is observed by {called(door)}, through its spans."
    yield Finding(topic, "ok", words, place=door.place)
    if not (framework.spans_have_calls or seen.has_clients or seen.is_by_hand):
        words = f"{framework.name} makes no spans of its model calls: these are not seen."
        yield Finding(topic, "warning", words, _PATCH, run.place)


def _missing(topic: str, framework: Framework, run: Run, fix: str, seen: Seen) -> Finding:
    door = framework.doors[0] if framework.doors else f"{ENABLE}()"
    how = seen.of(framework)
    words = f"{framework.name} without {door}: {how or 'its runs are not seen'}."
    return Finding(topic, _state(how), words, fix, run.place)


def _state(how: str) -> State:
    return "hint" if how else "warning"


def _adding(framework: Framework, run: Run) -> str:
    lines = framework.fix.replace("{ai}", CLIENT).replace("{client}", run.owner)
    return f"from {PACKAGE}.{framework.home} import {framework.doors[0]}\n{lines}"


def _enabling(observed: Observed, framework: Framework, seen: Seen, *, is_enabled: bool) -> Iterator[str]:
    """Yield the lines that let spans become events, once for all frameworks."""
    if framework.fix and not observed.makes_spans(framework):
        yield framework.fix
    if is_enabled:
        yield f"# {CLIENT}.{ENABLE}(), as above"
    elif observed.has_tracer_provider:
        yield f"{CLIENT}.{ENABLE}()   # below the line that sets the tracer provider"
    else:
        if not _OTEL.is_installed:
            yield f"# {_OTEL.command}"
        yield from (_PROVIDER, f"{CLIENT}.{ENABLE}()")
    if not (framework.spans_have_calls or seen.has_clients):
        yield _PATCH
