"""Mistral's API on 127.0.0.1: chat, agents, fill-in-the-middle, embeddings, conversations, responses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from . import openai_server
from .model_server import TEXT, THOUGHT, TOOL_ARGUMENTS, Handler, Json, ModelServer, Script

__all__ = ["TEXT", "THOUGHT", "TOOL_ARGUMENTS", "MistralServer"]

USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 7,
    "total_tokens": 27,
    "prompt_tokens_details": {"cached_tokens": 8},
}
UNCOUNTED = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
VECTOR = (0.5, 0.25, 0.125)
_TEXTS_ALONE = re.compile(r"mistral-client-python/1\.[0-8]\.")  # clients that know no chunks
AGENT_MODEL = "mistral-large-latest"  # what an agent answers with


def _script(body: Json) -> Script:
    items = body.get("messages", body.get("inputs", body.get("input", body.get("prompt"))))
    if not isinstance(items, list) or isinstance(items[0], str):
        return Script(str(items))
    spoken = [place for place, item in enumerate(items) if item.get("role") == "user"]
    after = items[spoken[-1] + 1 :] if spoken else items
    has_result = any(item.get("role") == "tool" or "result" in item for item in after)
    return Script(_text(items[spoken[-1]]) if spoken else "", has_result=has_result)


def _text(message: Json) -> str:
    content = message["content"]
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _thought(script: Script) -> Json:
    return {"type": "thinking", "thinking": [{"type": "text", "text": script.thought}]}


def _call(script: Script) -> Json:
    return {
        "id": "call_1",
        "type": "function",
        "index": 0,
        "function": {"name": "get_weather", "arguments": script.arguments},
    }


def _common(body: Json, kind: str) -> Json:
    return {"id": "cmpl-1", "object": kind, "created": 1, "model": body.get("model", AGENT_MODEL)}


def _usage(script: Script) -> Json:
    return UNCOUNTED if script.asks("nousage") else USAGE


def _finish(script: Script) -> str:
    return "tool_calls" if script.wants_tool else "stop"


def whole(body: Json, script: Script) -> Json:
    content: Any = "" if script.wants_tool else script.text
    if script.asks("think"):
        content = [_thought(script), {"type": "text", "text": content}]
    calls = [_call(script)] if script.wants_tool else None
    message = {"role": "assistant", "content": content, "tool_calls": calls}
    choice = {"index": 0, "message": message, "finish_reason": _finish(script)}
    return {**_common(body, "chat.completion"), "choices": [choice], "usage": _usage(script)}


def chunks(body: Json, script: Script) -> Iterator[Json]:
    def chunk(delta: Json, finish: str | None = None) -> Json:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {**_common(body, "chat.completion.chunk"), "choices": [choice]}

    yield chunk({"role": "assistant", "content": ""})
    if script.asks("think"):
        yield chunk({"content": [_thought(script)]})
    last: Json = {"content": ""}
    if script.wants_tool:
        last["tool_calls"] = [_call(script)]
    else:
        for piece in script.pieces:
            yield chunk({"content": piece})
    yield {**chunk(last, _finish(script)), "usage": _usage(script)}


def embeddings(body: Json, _script: Script) -> Json:
    given = body["input"] if isinstance(body["input"], list) else [body["input"]]
    vectors = [
        {"object": "embedding", "index": place, "embedding": VECTOR} for place, _text in enumerate(given)
    ]
    counted = {"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5}
    return {"id": "emb-1", "object": "list", "model": body["model"], "data": vectors, "usage": counted}


def _outputs(body: Json, script: Script) -> list[Json]:
    common = {"model": body.get("model", AGENT_MODEL), "id": "entry-1"}
    if script.wants_tool:
        call = {"tool_call_id": "call_1", "name": "get_weather", "arguments": script.arguments}
        return [{"object": "entry", "type": "function.call", **common, **call}]
    content: Any = script.text
    if script.asks("think"):
        content = [_thought(script), {"type": "text", "text": content}]
    answer = {"object": "entry", "type": "message.output", "role": "assistant", "content": content}
    return [{**answer, **common}]


def _counted(script: Script) -> Json:
    return {**_usage(script), "connector_tokens": None}


def conversation(body: Json, script: Script) -> Json:
    kept = {"object": "conversation.response", "conversation_id": "conv_1"}
    return {**kept, "outputs": _outputs(body, script), "usage": _counted(script)}


def conversation_events(body: Json, script: Script) -> Iterator[Json]:
    yield {"type": "conversation.response.started", "conversation_id": "conv_1"}
    (entry,) = _outputs(body, script)
    common = {name: entry[name] for name in ("id", "model")}
    if script.wants_tool:
        call = {name: entry[name] for name in ("tool_call_id", "name", "arguments")}
        for part in (script.arguments[:4], script.arguments[4:]):
            yield {"type": "function.call.delta", **common, **call, "arguments": part}
    else:
        delta = {"type": "message.output.delta", "role": "assistant", **common}
        if script.asks("think"):
            yield {**delta, "content": _thought(script)}
        for piece in script.pieces:
            yield {**delta, "content": piece}
    yield {"type": "conversation.response.done", "usage": _counted(script)}


def response(body: Json, script: Script) -> Json:
    return _with_details(openai_server.response_whole(body, script))


def frames(body: Json, script: Script) -> Iterator[Json]:
    for place, event in enumerate(openai_server.response_events(body, script)):
        if "response" in event:
            event["response"] = _with_details(event["response"])
        if event["type"] == "response.reasoning_summary_text.delta":
            event |= {"type": "response.reasoning_text.delta", "content_index": 0}
        yield {**event, "sequence_number": place}


def _with_details(answer: Json) -> Json:
    """Return a response with all that the vendor's model asks for."""
    usage = answer["usage"]
    if usage is None:
        return answer
    details = {**usage["input_tokens_details"], "cache_write_tokens": 0}
    return {**answer, "usage": {**usage, "input_tokens_details": details}}


class _Handler(Handler):
    def script(self, body: Json) -> Script:
        script = _script(body)
        if _TEXTS_ALONE.match(self.headers["user-agent"]):
            script.words = script.words.replace("think", "")
        return script

    def answer(self, body: Json, script: Script) -> None:
        for name, (whole_, streamed) in _APIS.items():
            if name in self.path:
                if body.get("stream"):
                    self.stream(self._events(streamed(body, script), script))
                else:
                    self.whole(whole_(body, script), script)

    def refuse(self, status: int, script: Script) -> None:
        error = {"object": "error", "message": f"refused: {script.words}", "type": "fake", "code": None}
        self.json(status, error)

    def _events(self, events: Iterator[Json], script: Script) -> Iterator[bytes]:
        pieces = 0
        for event in events:
            yield _event(event)
            pieces += bool(_piece(event))
            if pieces == 2:
                pieces += 1
                self.interrupt(script)
                if script.asks("fail"):
                    yield _event(_failure(event, script))
                    return
        if "choices" in event:
            yield b"data: [DONE]\n\n"


_APIS: dict[str, tuple[Any, Any]] = {
    "/embeddings": (embeddings, None),
    "/conversations": (conversation, conversation_events),
    "/responses": (response, frames),
    "/completions": (whole, chunks),
}


def _piece(event: Json) -> str:
    """Return the piece of text in an event of any API."""
    if "choices" in event:
        content = event["choices"][0]["delta"]["content"]
    else:
        content = event.get("content", event.get("delta"))
    return content if isinstance(content, str) else ""


def _failure(event: Json, script: Script) -> Json:
    if "choices" in event:
        return {"object": "error", "message": f"broken: {script.words}", "type": "fake"}
    return {"type": "conversation.response.error", "message": f"broken: {script.words}", "code": 3000}


def _event(value: Json) -> bytes:
    name = f"event: {value['type']}\n" if "." in value.get("type", "") else ""
    return f"{name}data: {json.dumps(value)}\n\n".encode()


class MistralServer(ModelServer):
    """The running fake; `address` is the server URL of its clients."""

    def __init__(self) -> None:
        super().__init__(_Handler)
