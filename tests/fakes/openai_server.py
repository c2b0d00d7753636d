"""OpenAI's API on 127.0.0.1: chat completions, responses, embeddings."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Iterator
from typing import Any

from .model_server import TEXT, THOUGHT, TOOL_ARGUMENTS, Handler, Json, ModelServer, Script, Tool

__all__ = ["TEXT", "THOUGHT", "TOOL_ARGUMENTS", "OpenAIServer"]

CHAT_USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 7,
    "total_tokens": 27,
    "prompt_tokens_details": {"cached_tokens": 8},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
RESPONSES_USAGE = {
    "input_tokens": 20,
    "output_tokens": 7,
    "total_tokens": 27,
    "input_tokens_details": {"cached_tokens": 8},
    "output_tokens_details": {"reasoning_tokens": 3},
}
VECTOR = (0.5, 0.25, 0.125)


def _script(body: Json) -> Script:
    items = body.get("messages", body.get("input", ""))
    if not items or not isinstance(items[0], dict):
        items = [{"role": "user", "content": str(items)}]
    spoken = [place for place, item in enumerate(items) if _role(item) == "user"]
    after = items[spoken[-1] + 1 :] if spoken else []
    results = sum(_role(item) in ("tool", "function_call_output") for item in after)
    return Script(_text(items[spoken[-1]]) if spoken else "", results=results)


def _role(item: Json) -> str:
    return str(item.get("role") or item.get("type"))


def _text(item: Json) -> str:
    content = item["content"]
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _chat_call(tool: Tool) -> Json:
    function = {"name": tool.name, "arguments": tool.arguments}
    return {"id": tool.id, "type": "function", "function": function}


def chat_whole(body: Json, script: Script) -> Json:
    message: Json = {"role": "assistant", "content": None if script.wants_tool else script.text}
    if script.tool is not None:
        message["tool_calls"] = [_chat_call(script.tool)]
    if script.asks("think"):
        message["reasoning_content"] = script.thought
    finish = "tool_calls" if script.wants_tool else "stop"
    whole: Json = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
    }
    return whole if script.asks("nousage") else {**whole, "usage": CHAT_USAGE}


def chat_chunks(body: Json, script: Script) -> Iterator[Json]:
    is_counted = (body.get("stream_options") or {}).get("include_usage", False)
    common: Json = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1}
    common["model"] = body["model"]
    if is_counted:
        common["usage"] = None

    def chunk(delta: Json, finish: str | None = None) -> Json:
        return {**common, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    yield chunk({"role": "assistant", "content": ""})
    if script.asks("think"):
        yield chunk({"reasoning_content": script.thought})
    if script.tool is not None:
        name = {"name": script.tool.name, "arguments": ""}
        yield chunk({"tool_calls": [{**_chat_call(script.tool), "index": 0, "function": name}]})
        for part in (script.tool.arguments[:4], script.tool.arguments[4:]):
            yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]})
    else:
        for piece in script.pieces:
            yield chunk({"content": piece})
    yield chunk({}, "tool_calls" if script.wants_tool else "stop")
    if is_counted and not script.asks("nousage"):
        yield {**common, "choices": [], "usage": CHAT_USAGE}


def _items(script: Script) -> list[Json]:
    items: list[Json] = []
    if script.asks("think"):
        summary = [{"type": "summary_text", "text": script.thought}]
        items.append({"type": "reasoning", "id": "rs_1", "summary": summary})
    if script.tool is not None:
        call_id, name, arguments = script.tool
        call = {"type": "function_call", "id": "fc_1", "call_id": call_id, "status": "completed"}
        items.append({**call, "name": name, "arguments": arguments})
    else:
        part = {"type": "output_text", "text": script.text, "annotations": []}
        message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
        items.append({**message, "content": [part]})
    return items


def response_whole(body: Json, script: Script, status: str = "completed") -> Json:
    is_done = status == "completed"
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": body["model"],
        "status": status,
        "output": _items(script) if is_done else [],
        "usage": RESPONSES_USAGE if is_done and not script.asks("nousage") else None,
        "error": {"code": "server_error", "message": script.words} if status == "failed" else None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def response_events(body: Json, script: Script) -> Iterator[Json]:
    def begun() -> Json:
        return response_whole(body, script, "in_progress")

    yield {"type": "response.created", "response": begun()}
    yield {"type": "response.in_progress", "response": begun()}
    for place, item in enumerate(_items(script)):
        where = {"item_id": item["id"], "output_index": place}
        begin = {**item, "content": []} if item["type"] == "message" else {**item, "arguments": ""}
        if item["type"] == "reasoning":
            begin = {**item, "summary": []}
        yield {"type": "response.output_item.added", "output_index": place, "item": begin}
        yield from _pieces(item, where, script)
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
    if script.asks("fail"):
        yield {"type": "response.failed", "response": response_whole(body, script, "failed")}
        return
    yield {"type": "response.completed", "response": response_whole(body, script)}


def _pieces(item: Json, where: Json, script: Script) -> Iterator[Json]:
    if item["type"] == "reasoning":
        kind = "response.reasoning_summary_text.delta"
        yield {"type": kind, **where, "summary_index": 0, "delta": script.thought}
    elif item["type"] == "function_call":
        yield {"type": "response.function_call_arguments.delta", **where, "delta": item["arguments"]}
    else:
        part = {"type": "output_text", "text": "", "annotations": []}
        yield {"type": "response.content_part.added", **where, "content_index": 0, "part": part}
        for piece in script.pieces:
            delta = {"content_index": 0, "delta": piece, "logprobs": []}
            yield {"type": "response.output_text.delta", **where, **delta}


def embeddings(body: Json, _script: Script) -> Json:
    vector: Any = [*VECTOR]
    if body.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack(f"<{len(VECTOR)}f", *VECTOR)).decode()
    return {
        "object": "list",
        "model": body["model"],
        "data": [{"object": "embedding", "index": 0, "embedding": vector}],
        "usage": {"prompt_tokens": 5, "total_tokens": 5},
    }


_WHOLE = {"chat/completions": chat_whole, "responses": response_whole, "embeddings": embeddings}
_STREAMED = {"chat/completions": chat_chunks, "responses": response_events}


class _Handler(Handler):
    def script(self, body: Json) -> Script:
        return _script(body)

    def answer(self, body: Json, script: Script) -> None:
        _before, _v1, name = self.path.partition("?")[0].partition("/v1/")
        if body.get("stream"):
            self.stream(self._events(_STREAMED[name](body, script), script), x_request_id="req_1")
        else:
            self.whole(_WHOLE[name](body, script), script, x_request_id="req_1")

    def refuse(self, status: int, script: Script) -> None:
        error = {"message": f"refused: {script.words}", "type": "fake", "code": None, "param": None}
        self.json(status, {"error": error}, retry_after_ms="1", x_request_id="req_1")

    def _events(self, events: Iterator[Json], script: Script) -> Iterator[bytes]:
        for event in self._until_told(events, script):
            name = f"event: {event['type']}\n" if "type" in event else ""
            yield f"{name}data: {json.dumps(event)}\n\n".encode()
        yield b"data: [DONE]\n\n"

    def _until_told(self, events: Iterator[Json], script: Script) -> Iterator[Json]:
        pieces = 0
        for event in events:
            pieces += '"delta": "' in json.dumps(event) or '"content": "' in json.dumps(event.get("choices"))
            yield event
            if pieces == (2 if event.get("type") else 3):  # a chat's first chunk has an empty piece
                self.interrupt(script)
                if script.asks("fail") and not event.get("type"):
                    yield {"error": {"message": f"broken: {script.words}", "type": "fake", "code": None}}
                pieces += 1


class OpenAIServer(ModelServer):
    """The running fake; `url` is the base URL of its clients."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.url = f"{self.address}/v1"
