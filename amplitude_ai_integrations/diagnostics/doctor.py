"""All checks, in the order in which a reader wants them."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Iterator, Set
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import AIConfig
from ..exceptions import ConfigurationError
from ..registry import DISTRIBUTION
from ..version import __version__
from . import destination, variables
from .environment import TOPIC, Surroundings, misspelled, read_environment, what_is_off, where_to
from .finding import Finding
from .project import Sources, read_project, says_where_events_go
from .secrets import without_keys
from .versions import read_versions

if TYPE_CHECKING:
    from ..client.client import AmplitudeAI


def examine(
    project: Path | None = None,
    *,
    live: bool = True,
    more: Iterable[Finding] = (),
    ai: AmplitudeAI | None = None,
    vendors: Callable[[Set[str]], Iterable[Finding]] | None = None,
) -> Iterator[Finding]:
    """Find out whether events would be made, and would arrive; one finding after the other, as they come.

    Args:
        project: A folder (or a file) of Python sources to read; ``None`` for none. Nothing of it is run.
        live: Also make an event and deliver it to a server on this machine; nothing else is reached.
        more: Findings of a framework's own door, told after those about the project.
        ai: The client that a framework's settings made; where events go is then asked of it, and not of the
            environment.
        vendors: Tells of the modules that the project imports which vendors' cannot be observed here.
    """
    for finding in _all(project, live=live, more=more, ai=ai, vendors=vendors):
        words, fix = (without_keys(text, os.environ) for text in (finding.words, finding.fix))
        yield finding._replace(words=words, fix=fix)


def has_problem(findings: Iterable[Finding]) -> bool:
    """Tell whether a check should fail."""
    return any(finding.state == "problem" for finding in findings)


def _all(
    project: Path | None,
    *,
    live: bool,
    more: Iterable[Finding],
    ai: AmplitudeAI | None,
    vendors: Callable[[Set[str]], Iterable[Finding]] | None,
) -> Iterator[Finding]:
    sources = Sources.of(project) if project is not None else Sources()
    folder = project if project is not None and project.is_dir() else None
    around = Surroundings(
        environment=os.environ,
        files=variables.from_files(folder) if folder is not None else {},
        read_by_code=sources.strings,
        is_given_in_code=says_where_events_go(sources),
    )
    yield Finding(TOPIC, "ok", f"{DISTRIBUTION} {__version__}, Python {platform.python_version()}")
    if ai is None:
        yield from read_environment(around)
    else:
        yield from what_is_off(ai.config, around.environment)
        yield from where_to(destination.of_client(ai), "The key of your settings")
        yield from misspelled(around)
    yield from read_versions(sources.needed)
    if live and vendors is not None:
        yield from vendors(sources.needed)
    if project is not None:
        yield from read_project(sources, os.environ, door_is_asked=ai is not None or more != ())
    yield from more
    if live:
        yield from _live(ai)


def _live(ai: AmplitudeAI | None) -> Iterator[Finding]:
    try:
        from . import mock_event, mock_flush, spool
    except ModuleNotFoundError as error:
        words = f"The package {error.name} is missing, without which nothing works."
        yield Finding("mock event", "problem", words, f"pip install --force-reinstall {DISTRIBUTION}")
        return
    try:
        config = AIConfig() if ai is None else ai.config
    except ConfigurationError:
        yield Finding(mock_event.TOPIC, "hint", "Not tried: the settings are refused, see above.")
        return
    key = os.environ.get(variables.API_KEY, "")
    goal = destination.of_environment(config, key) if ai is None else destination.of_client(ai)
    yield from mock_event.make_event(config)
    if ai is None or ai.config.durable or destination.is_ours(ai):
        yield from spool.spool_there_is(config)
    yield from mock_flush.flush_events(config, goal)
