"""Every public way to make a call of Mistral's; each reads its answer as far as its caller would."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from operator import attrgetter
from typing import Any

from pydantic import BaseModel

from amplitude_ai_integrations.pricing.cost import Tokens
from amplitude_ai_integrations.pricing.tier import model_tier
from amplitude_ai_integrations.providers.mistral import Mistral

from ...fakes.mistral_server import AGENT_MODEL
from ..expected import Event, counted
from .provider import Way

MODEL = "mistral-small-latest"

CLIENT: Any = Mistral.__mro__[1]
HTTP: Any = sys.modules[CLIENT.__module__].httpx  # whichever of its versions this one uses


def library(name: str) -> Any:
    """Return a module of the vendor's, which have moved between versions."""
    return import_module(f"{CLIENT.__module__.rpartition('.')[0]}.{name}")


MODELS = library("models")
STREAM: Any = getattr(
    library("utils.eventstreaming"), "EventStream", None
)  # None where streams are generators
# Older versions drop what their models do not list.
CACHED = 8 if MODELS.UsageInfo.model_config.get("extra") == "allow" else 0

Given = dict[str, Any]
Both = tuple[Way, Way]  # a way of each kind of client


class _Answer(BaseModel):
    text: str


def _in_models(given: Given) -> Given:
    """Return the same arguments in the vendor's own models."""
    kinds = {"system": MODELS.SystemMessage, "user": MODELS.UserMessage}
    messages = [kinds[message["role"]](content=message["content"]) for message in given["messages"]]
    return {**given, "messages": messages}


def _to_an_agent(given: Given) -> Given:
    rest = {name: value for name, value in given.items() if name != "model"}
    return {**rest, "messages": given["messages"][-1:], "agent_id": "ag-1"}


def _as_code(given: Given) -> Given:
    rest = {name: value for name, value in given.items() if name != "messages"}
    return {**rest, "prompt": given["messages"][-1]["content"], "suffix": "return two"}


def _to_a_conversation(given: Given) -> Given:
    system, said = given["messages"]
    rest = {name: value for name, value in given.items() if name != "messages"}
    return {**rest, "instructions": system["content"], "inputs": [said]}


def _as_response(given: Given) -> Given:
    rest = {name: value for name, value in given.items() if name != "messages"}
    return {**rest, "input": given["messages"]}


def _as_streamed_response(given: Given) -> Given:
    return {**_as_response(given), "stream": True}


def _for_json(given: Given) -> Given:
    return {**given, "response_format": _Answer}


def _plain(answer: Any) -> Any:
    return answer.model_dump()


def _whole(path: str, turned: Callable[[Given], Given] = dict, says: Event | None = None) -> Both:
    """Return the ways to call a method for a whole answer."""

    def call(client: Any, **given: Any) -> Any:
        return _plain(attrgetter(path)(client)(**turned(given)))

    async def call_later(client: Any, **given: Any) -> Any:
        return _plain(await attrgetter(f"{path}_async")(client)(**turned(given)))

    return Way("chat", call, says=says or {}), Way("chat", call_later, says=says or {})


def _streamed(path: str, turned: Callable[[Given], Given] = dict, says: Event | None = None) -> Both:
    """Return the ways to call a method for a stream, which is read to its end."""

    def call(client: Any, **given: Any) -> Any:
        return [_plain(event) for event in attrgetter(path)(client)(**turned(given))]

    async def call_later(client: Any, **given: Any) -> Any:
        events = await attrgetter(f"{path}_async")(client)(**turned(given))
        return [_plain(event) async for event in events]

    return Way("chat", call, True, says or {}), Way("chat", call_later, True, says or {})


def _stream_in_with(client: Any, **given: Any) -> Any:
    with client.chat.stream(**given) as stream:
        return [_plain(event) for event in stream]


async def _stream_in_with_later(client: Any, **given: Any) -> Any:
    async with await client.chat.stream_async(**given) as stream:
        return [_plain(event) async for event in stream]


_CODE: Event = {"system_prompt": None, "system_prompt_length": None}
_AGENT: Event = {
    **_CODE,
    "model_name": AGENT_MODEL,
    "model_tier": model_tier(AGENT_MODEL),
    **counted(AGENT_MODEL, "mistral", Tokens(20, 7, CACHED)),
}
_CONVERSATION: Event = {
    "finish_reason": None,
    "provider_request_id": "entry-1",
    **counted(MODEL, "mistral", Tokens(20, 7)),
}
_RESPONSE: Event = {
    "provider_request_id": "resp_1",
    **counted(MODEL, "mistral", Tokens(20, 7, 8), 3),
    "cache_creation_tokens": 0,
}


def _all() -> dict[str, Both]:
    """Return the ways that this version has."""
    ways = {
        "chat complete": _whole("chat.complete"),
        "chat complete, in models": _whole("chat.complete", _in_models),
        "chat stream": _streamed("chat.stream"),
        "agents complete": _whole("agents.complete", _to_an_agent, _AGENT),
        "agents stream": _streamed("agents.stream", _to_an_agent, _AGENT),
        "fim complete": _whole("fim.complete", _as_code, _CODE),
        "fim stream": _streamed("fim.stream", _as_code, _CODE),
    }
    if STREAM:
        with_ = Way("chat", _stream_in_with, is_streaming=True)
        ways["chat stream in with"] = with_, Way("chat", _stream_in_with_later, is_streaming=True)
    if hasattr(library("chat").Chat, "parse_stream"):
        ways["chat parse_stream"] = _streamed("chat.parse_stream", _for_json)
    known = CLIENT.__annotations__
    if "beta" in known:
        start, start_stream = "beta.conversations.start", "beta.conversations.start_stream"
        ways["conversations start"] = _whole(start, _to_a_conversation, _CONVERSATION)
        ways["conversations start_stream"] = _streamed(start_stream, _to_a_conversation, _CONVERSATION)
    if "responses" in known:
        ways["responses create"] = _whole("responses.create", _as_response, _RESPONSE)
        ways["responses create, streamed"] = _streamed("responses.create", _as_streamed_response, _RESPONSE)
    return ways


_BOTH = _all()
WAYS = {name: sync for name, (sync, _later) in _BOTH.items()}
ASYNC_WAYS = {name: later for name, (_sync, later) in _BOTH.items()}
