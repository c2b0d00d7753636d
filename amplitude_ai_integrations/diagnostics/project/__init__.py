"""What a project's own code says: whether a line of ours is there, and in the right place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from ..finding import Finding
from .arguments import misused
from .client import naming_one_client
from .destinations import says_where_events_go
from .doors import foreign_doors, missing_doors, missing_workers
from .models import has_home, model_clients, seen_without_doors
from .observed import Observed
from .placement import misplaced
from .sessions import agentless, decorated, opened, unanswered
from .settings import VARIABLE, django_settings
from .sources import PACKAGE, Sources
from .unobserved import agent_frameworks

__all__ = ["Sources", "read_project", "says_where_events_go"]

_TOPIC = "project"
_MOST_UNREAD = 5
_FIRST_STEP = f"""from {PACKAGE} import AmplitudeAI, OpenAI
ai = AmplitudeAI()
client = OpenAI(amplitude=ai)
with ai.agent("my-agent").session(user_id="user-1"):
    client.chat.completions.create(...)"""


def read_project(
    sources: Sources, environment: Mapping[str, str], *, door_is_asked: bool = False
) -> Iterator[Finding]:
    """Find out what the sources say; a framework's own door knows better what it knows of requests."""
    yield from _unread(sources)
    sessions = opened(sources)
    frameworks = Observed(sources)
    found = [
        *missing_doors(sources, _TOPIC, has_sessions=bool(sessions)),
        *django_settings(
            sources,
            _TOPIC,
            has_sessions=bool(sessions),
            door_is_asked=door_is_asked,
            named=environment.get(VARIABLE),
        ),
        *missing_workers(sources, _TOPIC),
        *foreign_doors(sources, _TOPIC),
        *misplaced(sources, _TOPIC),
        *misused(sources, _TOPIC),
        *model_clients(sources, _TOPIC, environment, frameworks),
        *agent_frameworks(
            frameworks, _TOPIC, seen_without_doors(sources, environment), has_home=has_home(sources)
        ),
    ]
    yield from naming_one_client(sources, _TOPIC, found)
    steps = decorated(sources)
    if sessions:
        yield Finding(_TOPIC, "ok", f"Sessions are opened by hand{_times(sessions)}.", place=sessions[0])
    elif not door_is_asked:
        yield from unanswered(sources, _TOPIC)
    yield from agentless(sources, _TOPIC, environment)
    if steps:
        yield Finding(_TOPIC, "ok", f"Tools and steps are decorated{_times(steps)}.", place=steps[0])
    if not (found or sessions or steps):
        words = f"No web application, no model client and no session was found{_in_files(sources.count)}."
        yield Finding(_TOPIC, "hint", words, _FIRST_STEP)


def _unread(sources: Sources) -> Iterator[Finding]:
    for name, why in islice(sources.unread.items(), _MOST_UNREAD):
        yield Finding(_TOPIC, "hint", f"Left out: {why}.", place=name)
    if len(sources.unread) > _MOST_UNREAD:
        yield Finding(_TOPIC, "hint", f"Left out: {len(sources.unread) - _MOST_UNREAD} more.")
    if sources.is_cut:
        words = f"Only the first {sources.count} files were read."
        yield Finding(_TOPIC, "hint", words, "Name the folder of your application: amplitude-ai doctor PATH")


def _in_files(count: int) -> str:
    return f" in {count} files" if count > 1 else "" if count else ": there is no Python file here"


def _times(places: list[str]) -> str:
    return f", in {len(places)} places" if len(places) > 1 else ""
