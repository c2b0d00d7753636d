"""What the program around a call sees: exactly what it would see without us."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable
from typing import Any

import openai
import pytest

from amplitude_ai_integrations import AmplitudeAI, AmplitudeAIWrapError, MemorySink, wrap
from amplitude_ai_integrations.providers.openai import AsyncOpenAI, OpenAI

from ..fakes.openai_server import OpenAIServer
from .conftest import MakeClient
from .expected import MODEL, kinds, of_kind
from .ways import TOOL

METHODS = [
    ("chat.completions", "create"),
    ("chat.completions", "parse"),
    ("chat.completions", "stream"),
    ("beta.chat.completions", "create"),
    ("beta.chat.completions", "parse"),
    ("beta.chat.completions", "stream"),
    ("responses", "create"),
    ("responses", "parse"),
    ("responses", "stream"),
    ("embeddings", "create"),
]
every_method = pytest.mark.parametrize(("path", "name"), METHODS)
KINDS = [(OpenAI, openai.OpenAI), (AsyncOpenAI, openai.AsyncOpenAI)]
every_kind = pytest.mark.parametrize(("observed", "vendor"), KINDS, ids=["sync", "async"])
WORDS = ["Hi", "think", "tool", "nousage", "think tool"]


def _resource(client: Any, path: str) -> Any:
    for name in path.split("."):
        client = getattr(client, name)
    return client


def _chunks(client: Any, api: str, words: str) -> list[Any]:
    if api == "chat":
        given = [{"role": "user", "content": words}]
        stream = client.chat.completions.create(model=MODEL, messages=given, stream=True)
    else:
        stream = client.responses.create(model=MODEL, input=words, stream=True)
    return [chunk.to_dict() for chunk in stream]


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("api", ["chat", "responses"])
def test_the_chunks_of_a_stream_are_the_vendors_own(
    api: str, words: str, client: OpenAI, bare: openai.OpenAI
) -> None:
    assert _chunks(client, api, words) == _chunks(bare, api, words)


@pytest.mark.parametrize("words", WORDS)
def test_a_whole_answer_is_the_vendors_own(words: str, client: OpenAI, bare: openai.OpenAI) -> None:
    def ask(asked: Any) -> Any:
        return asked.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": words}], tools=[TOOL]
        )

    ours, theirs = ask(client), ask(bare)
    assert type(ours) is type(theirs)
    assert ours.to_dict() == theirs.to_dict()


def test_what_is_sent_is_what_the_bare_client_sends(
    client: OpenAI, bare: openai.OpenAI, fake: OpenAIServer
) -> None:
    _chunks(client, "chat", "Hi")
    _chunks(bare, "chat", "Hi")
    ours, theirs = fake.requests
    assert ours == theirs


def test_an_error_is_the_vendors_own(client: OpenAI, bare: openai.OpenAI) -> None:
    def fail(asked: Any) -> Any:
        with pytest.raises(openai.RateLimitError) as caught:
            _chunks(asked, "chat", "error429")
        return caught.value

    ours, theirs = fail(client), fail(bare)
    assert (str(ours), ours.status_code, ours.body, ours.request_id) == (
        str(theirs),
        theirs.status_code,
        theirs.body,
        theirs.request_id,
    )
    assert ours.__cause__ is ours.__context__ is None or type(ours.__cause__) is type(theirs.__cause__)


def test_a_stream_that_was_left_can_be_read_on(client: OpenAI, bare: openai.OpenAI) -> None:
    def read_twice(asked: Any) -> list[Any]:
        stream = asked.responses.create(model=MODEL, input="Hi", stream=True)
        first = [next(iter(stream)).to_dict()]
        return first + [event.to_dict() for event in stream]

    assert read_twice(client) == read_twice(bare)


def test_a_stream_is_still_the_vendors_stream(client: OpenAI) -> None:
    stream = client.responses.create(model=MODEL, input="Hi", stream=True)
    assert isinstance(stream, openai.Stream)
    assert stream.response.status_code == 200
    stream.close()
    assert stream.response.is_closed


@every_kind
@every_method
def test_signatures_are_the_vendors(
    path: str, name: str, observed: Any, vendor: Any, connect: MakeClient, ai: AmplitudeAI
) -> None:
    ours = getattr(_resource(connect(observed, amplitude=ai), path), name)
    theirs = getattr(_resource(connect(vendor), path), name)
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert (ours.__name__, ours.__qualname__, ours.__doc__) == (
        theirs.__name__,
        theirs.__qualname__,
        theirs.__doc__,
    )


@every_kind
@every_method
def test_a_coroutine_function_remains_one(
    path: str, name: str, observed: Any, vendor: Any, connect: MakeClient, ai: AmplitudeAI
) -> None:
    ours = getattr(_resource(connect(observed, amplitude=ai), path), name)
    theirs = getattr(_resource(connect(vendor), path), name)
    assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(theirs)


@every_kind
def test_wrap_returns_the_same_object(observed: Any, vendor: Any, connect: MakeClient, ai: Any) -> None:
    given = connect(vendor)
    assert wrap(given, ai) is given
    assert isinstance(given, vendor)
    assert isinstance(given, observed)


@every_method
def test_resources_keep_their_class(path: str, name: str, connect: MakeClient, ai: AmplitudeAI) -> None:
    given = connect(openai.OpenAI)
    kind = type(_resource(given, path))
    wrapped = _resource(wrap(given, ai), path)
    assert isinstance(wrapped, kind)
    assert type(wrapped).__name__ == kind.__name__


def test_a_client_wrapped_twice_reports_once(connect: MakeClient, ai: AmplitudeAI, sink: MemorySink) -> None:
    twice = wrap(wrap(connect(openai.OpenAI), ai, user_id="u"), ai, user_id="u")
    twice.responses.create(model=MODEL, input="Hi")
    assert kinds(sink) == ["user", "answer"]


def test_wrapping_one_client_leaves_the_next_alone(
    connect: MakeClient, ai: AmplitudeAI, sink: MemorySink, bare: openai.OpenAI
) -> None:
    wrap(connect(openai.OpenAI), ai)
    bare.responses.create(model=MODEL, input="Hi")
    with pytest.raises(TypeError, match="amplitude_user_id"):
        bare.responses.create(model=MODEL, input="Hi", amplitude_user_id="u")  # type: ignore[call-overload]
    assert kinds(sink) == []


def test_wrap_works_on_a_client_that_was_used_before(
    connect: MakeClient, ai: AmplitudeAI, sink: MemorySink
) -> None:
    used = connect(openai.OpenAI)
    raw = used.chat.completions.with_raw_response
    messages = [{"role": "user", "content": "Hi"}]
    raw.create(model=MODEL, messages=messages)
    wrap(used, ai, user_id="u")
    used.chat.completions.with_raw_response.create(
        model=MODEL, messages=messages, amplitude_conversation_id="c"
    )
    assert [event["session_id"] for event in of_kind("answer", sink)] == ["c"]


def test_wrap_says_what_it_does_not_know(ai: AmplitudeAI) -> None:
    with pytest.raises(AmplitudeAIWrapError, match=r"wrap\(\) knows no builtins.dict"):
        wrap({}, ai)


def _dropped(stream: Any) -> None:
    next(stream)


def _unread(_stream: Any) -> None:
    pass


@pytest.mark.parametrize("use", [_unread, _dropped], ids=["unread", "read in part"])
def test_a_stream_that_is_dropped_is_an_answer_when_it_is_collected(
    use: Callable[[Any], None], client: OpenAI, sink: MemorySink
) -> None:
    use(client.responses.create(model=MODEL, input="Hi", stream=True))
    gc.collect()
    answers = of_kind("answer", sink)
    assert [event.get("stream_abandoned") for event in answers] == [True]


def test_an_error_that_was_handled_before_is_not_why_a_stream_was_left(
    client: OpenAI, sink: MemorySink
) -> None:
    try:
        raise KeyError("not cached")
    except KeyError:
        for _chunk in client.responses.create(model=MODEL, input="Hi", stream=True):
            break
    assert ["error_type" in event for event in of_kind("answer", sink)] == [False]
