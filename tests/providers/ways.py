"""Every public way to make a call; each reads its answer as far as its caller would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .expected import MODEL

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}

Way = Callable[..., Any]


def chat(words: str, **more: Any) -> dict[str, Any]:
    """Return the arguments of a chat completion."""
    return {"model": MODEL, "messages": [{"role": "user", "content": words}], **more}


def response(words: str, **more: Any) -> dict[str, Any]:
    """Return the arguments of a response."""
    return {"model": MODEL, "input": words, **more}


def _chat_stream_helper(client: Any, words: str, **more: Any) -> None:
    with client.chat.completions.stream(**chat(words, **more)) as stream:
        stream.get_final_completion()


def _beta_stream_helper(client: Any, words: str, **more: Any) -> None:
    with client.beta.chat.completions.stream(**chat(words, **more)) as stream:
        for _event in stream:
            pass


def _responses_stream_helper(client: Any, words: str, **more: Any) -> None:
    with client.responses.stream(**response(words, **more)) as stream:
        stream.get_final_response()


def _raw_stream(client: Any, words: str, **more: Any) -> None:
    raw = client.chat.completions.with_raw_response.create(**chat(words, stream=True, **more))
    for _chunk in raw.parse():
        pass


def _streaming_parse(client: Any, words: str, **more: Any) -> None:
    with client.chat.completions.with_streaming_response.create(**chat(words, **more)) as response_:
        response_.parse()


def _streaming_json(client: Any, words: str, **more: Any) -> None:
    with client.responses.with_streaming_response.create(**response(words, **more)) as response_:
        response_.json()


def _streaming_bytes(client: Any, words: str, **more: Any) -> None:
    with client.chat.completions.with_streaming_response.create(**chat(words, **more)) as response_:
        for _piece in response_.iter_bytes():
            pass


def _streaming_lines(client: Any, words: str, **more: Any) -> None:
    given = chat(words, stream=True, **more)
    with client.chat.completions.with_streaming_response.create(**given) as response_:
        for _line in response_.iter_lines():
            pass


def _streaming_chunks(client: Any, words: str, **more: Any) -> None:
    given = chat(words, stream=True, **more)
    with client.chat.completions.with_streaming_response.create(**given) as response_:
        for _chunk in response_.parse():
            pass


WAYS: dict[str, Way] = {
    "chat create": lambda client, words, **more: client.chat.completions.create(**chat(words, **more)),
    "chat parse": lambda client, words, **more: client.chat.completions.parse(**chat(words, **more)),
    "chat stream()": _chat_stream_helper,
    "chat raw": lambda client, words, **more: client.chat.completions.with_raw_response.create(
        **chat(words, **more)
    ),
    "chat raw parse": lambda client, words, **more: client.chat.completions.with_raw_response.parse(
        **chat(words, **more)
    ).parse(),
    "chat raw, streamed": _raw_stream,
    "chat streaming response, parse": _streaming_parse,
    "chat streaming response, bytes": _streaming_bytes,
    "chat streaming response, chunks": _streaming_chunks,
    "chat streaming response, lines": _streaming_lines,
    "beta create": lambda client, words, **more: client.beta.chat.completions.create(**chat(words, **more)),
    "beta parse": lambda client, words, **more: client.beta.chat.completions.parse(**chat(words, **more)),
    "beta stream()": _beta_stream_helper,
    "responses create": lambda client, words, **more: client.responses.create(**response(words, **more)),
    "responses parse": lambda client, words, **more: client.responses.parse(**response(words, **more)),
    "responses stream()": _responses_stream_helper,
    "responses raw": lambda client, words, **more: client.responses.with_raw_response.create(
        **response(words, **more)
    ),
    "responses streaming response, json": _streaming_json,
    "with_options": lambda client, words, **more: client.with_options(max_retries=0).chat.completions.create(
        **chat(words, **more)
    ),
    "copy": lambda client, words, **more: client.copy().responses.create(**response(words, **more)),
    "copy of a copy": lambda client, words, **more: (
        client.copy().with_options(timeout=9).responses.create(**response(words, **more))
    ),
}
