"""A tracker, a fake of the command that the SDK runs, and the SDK's own doors with ours around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest
from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKError, query

from amplitude_ai_integrations import AmplitudeAI, MemorySink, Session
from amplitude_ai_integrations.context import memory
from amplitude_ai_integrations.frameworks.claude_agent_sdk import ClaudeAgentSDKTracker

from ...fakes.claude_cli import command


@pytest.fixture(scope="package")
def cli(tmp_path_factory: pytest.TempPathFactory) -> str:
    return command(tmp_path_factory.mktemp("claude"))


@pytest.fixture(autouse=True)
def _forget() -> None:
    memory.forget()


@pytest.fixture
def tracker() -> ClaudeAgentSDKTracker:
    return ClaudeAgentSDKTracker()


@pytest.fixture
def options(cli: str) -> Callable[..., ClaudeAgentOptions]:
    """Make options that lead to the fake."""
    return lambda **given: ClaudeAgentOptions(cli_path=cli, **given)


@pytest.fixture
def session(ai: AmplitudeAI) -> Session:
    return ai.agent("coder").session("s-1", user_id="user-1")


async def by_hooks(
    tracker: ClaudeAgentSDKTracker, session: Session, prompt: Any, options: ClaudeAgentOptions
) -> AsyncIterator[Any]:
    """Ask as the SDK's users do, with its own function."""
    options.hooks = tracker.hooks(session)
    async for message in query(prompt=prompt, options=options):
        tracker.process(session, message)
        yield message


async def by_query(
    tracker: ClaudeAgentSDKTracker, session: Session, prompt: Any, options: ClaudeAgentOptions
) -> AsyncIterator[Any]:
    """Ask with the tracker's."""
    async for message in tracker.query(session, prompt=prompt, options=options):
        yield message


async def by_client(
    tracker: ClaudeAgentSDKTracker, session: Session, prompt: Any, options: ClaudeAgentOptions
) -> AsyncIterator[Any]:
    """Ask with the tracker's client."""
    async with tracker.client(session, options) as client:
        await client.query(prompt)
        async for message in client.receive_response():
            yield message


async def read(messages: AsyncIterator[Any]) -> list[Any]:
    """Read a stream to its end, also if that is an error of the SDK's."""
    came: list[Any] = []
    with suppress(ClaudeSDKError):
        async for message in messages:
            came.append(message)  # noqa: PERF401 - what came before an error counts
    return came


def of_kind(sink: MemorySink, kind: str) -> list[dict[str, Any]]:
    """Return the properties of the events of a kind."""
    return [event["event_properties"] for event in sink.events if event["event_type"] == f"[Agent] {kind}"]


DOORS = [by_hooks, by_query, by_client]
