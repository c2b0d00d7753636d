"""Anthropic's API on 127.0.0.1, also as Amazon Bedrock and Google's Vertex AI have it.

Beside the common words, `refuse` has the model refuse, `twice` asks for the tool two times at once,
`json` answers with a city in JSON, `pause` pauses until the answer is sent back, and `maxtokens` ends it early.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from .bedrock_server import event, exception
from .model_server import TEXT, THOUGHT, TOOL_ARGUMENTS, Handler, Json, ModelServer, Script

__all__ = ["TEXT", "THOUGHT", "TOOL_ARGUMENTS", "AnthropicServer"]

BEGUN = {
    "input_tokens": 8,
    "cache_read_input_tokens": 8,
    "cache_creation_input_tokens": 4,
    "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 0},
    "output_tokens": 1,
    "service_tier": "standard",
}
ENDED = {"output_tokens": 7, "output_tokens_details": {"thinking_tokens": 3}}
ERRORS = {401: "authentication_error", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}
JSON_TEXT = '{"city":"Paris"}'

_MODEL = re.compile(r"(?:/v1)?/(?:model|projects/.*/models)/([^/:]+(?::\d+)?)[:/](\w[\w-]*)")


def _script(body: Json) -> Script:
    spoken, results = "", 0
    for message in body.get("messages", ()):
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        words = " ".join(block["text"] for block in blocks if block["type"] == "text")
        answered = sum(block["type"] == "tool_result" for block in blocks)
        results += answered
        if message["role"] == "user" and words:
            spoken, results = words, answered
    script = Script(spoken, results=results)
    script.is_sent_back = bool(body.get("messages")) and body["messages"][-1]["role"] == "assistant"
    return script


def _text(script: Script) -> str:
    return JSON_TEXT if script.asks("json") else script.text


def _blocks(script: Script) -> list[Json]:
    blocks: list[Json] = []
    if script.asks("think"):
        blocks.append({"type": "thinking", "thinking": script.thought, "signature": "c2ln"})
        blocks.append({"type": "redacted_thinking", "data": "c2VjcmV0"})
    if script.tool is not None:
        call = {"type": "tool_use", "name": script.tool.name, "input": json.loads(script.tool.arguments)}
        ids = [script.tool.id, "call_2"] if script.asks("twice") else [script.tool.id]
        return [*blocks, *({**call, "id": call_id} for call_id in ids)]
    return [*blocks, {"type": "text", "text": _text(script)}]


def _stop_reason(script: Script) -> str:
    if script.asks("refuse"):
        return "refusal"
    if script.asks("pause") and not script.is_sent_back:
        return "pause_turn"
    if script.asks("maxtokens"):
        return "max_tokens"
    return "tool_use" if script.wants_tool else "end_turn"


def message_whole(model: str, script: Script) -> Json:
    usage = {} if script.asks("nousage") else {"usage": {**BEGUN, **ENDED}}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": _blocks(script),
        "stop_reason": _stop_reason(script),
        "stop_sequence": None,
        **usage,
    }


def message_events(model: str, script: Script) -> Iterator[Json]:
    whole = message_whole(model, script)
    usage = {} if script.asks("nousage") else {"usage": BEGUN}
    yield {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None, **usage}}
    yield {"type": "ping"}
    empty = {"text": "", "thinking": "", "signature": "", "input": {}}
    for place, block in enumerate(whole["content"]):
        begun = {name: empty.get(name, value) for name, value in block.items()}
        yield {"type": "content_block_start", "index": place, "content_block": begun}
        for delta in _deltas(block, script):
            yield {"type": "content_block_delta", "index": place, "delta": delta}
        yield {"type": "content_block_stop", "index": place}
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    ended = {} if script.asks("nousage") else {"usage": ENDED}
    yield {"type": "message_delta", "delta": delta, **ended}
    yield {"type": "message_stop"}


def _deltas(block: Json, script: Script) -> list[Json]:
    if block["type"] == "tool_use":
        written = script.tool.arguments if script.tool is not None else ""
        parts = ("", written[:4], written[4:])
        return [{"type": "input_json_delta", "partial_json": part} for part in parts]
    if block["type"] == "thinking":
        thought = {"type": "thinking_delta", "thinking": block["thinking"]}
        return [thought, {"type": "signature_delta", "signature": block["signature"]}]
    if block["type"] == "redacted_thinking":
        return []
    pieces = script.pieces if block["text"] == script.text else [block["text"]]
    return [{"type": "text_delta", "text": piece} for piece in pieces]


class _Handler(Handler):
    def script(self, body: Json) -> Script:
        return _script(body)

    def answer(self, body: Json, script: Script) -> None:
        path = self.path.partition("?")[0]
        platform = _MODEL.fullmatch(path)
        if path.endswith(("/count_tokens", "count-tokens:rawPredict")):
            self.json(200, {"input_tokens": 20}, request_id="req_1")
        elif path.endswith("/batches"):
            self.json(200, _batch(), request_id="req_1")
        elif platform is None:
            self._message(body["model"], script, is_streaming=bool(body.get("stream")))
        elif platform[2] == "invoke-with-response-stream":
            frames = self._frames(message_events(unquote(platform[1]), script), script)
            self.stream(frames, "application/vnd.amazon.eventstream", request_id="req_1")
        else:
            self._message(unquote(platform[1]), script, is_streaming=platform[2] == "streamRawPredict")

    def refuse(self, status: int, script: Script) -> None:
        error = {"type": ERRORS[status], "message": f"refused: {script.words}"}
        body = {"type": "error", "error": error, "request_id": "req_1"}
        self.json(status, body, retry_after_ms="1", request_id="req_1")

    def _message(self, model: str, script: Script, *, is_streaming: bool) -> None:
        if is_streaming:
            self.stream(self._events(message_events(model, script), script), request_id="req_1")
        else:
            self.whole(message_whole(model, script), script, request_id="req_1")

    def _events(self, events: Iterator[Json], script: Script) -> Iterator[bytes]:
        for value in self._until_told(events, script):
            yield f"event: {value['type']}\ndata: {json.dumps(value)}\n\n".encode()

    def _frames(self, events: Iterator[Json], script: Script) -> Iterator[bytes]:
        for value in self._until_told(events, script):
            if value["type"] == "error":
                yield exception("modelStreamErrorException", value["error"]["message"])
            else:
                yield event("chunk", {"bytes": base64.b64encode(json.dumps(value).encode()).decode()})

    def _until_told(self, events: Iterator[Json], script: Script) -> Iterator[Json]:
        pieces = 0
        for value in events:
            yield value
            pieces += value.get("delta", {}).get("type") == "text_delta"
            if pieces == 2:
                self.interrupt(script)
                if script.asks("fail"):
                    error = {"type": "overloaded_error", "message": f"broken: {script.words}"}
                    yield {"type": "error", "error": error}
                    return
                pieces += 1


def _batch() -> Json:
    counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
    return {
        "id": "msgbatch_1",
        "type": "message_batch",
        "processing_status": "in_progress",
        "request_counts": counts,
        "created_at": "2025-01-01T00:00:00Z",
        "expires_at": "2025-01-02T00:00:00Z",
        "ended_at": None,
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": None,
    }


class AnthropicServer(ModelServer):
    """The running fake; `address` is the base URL of its clients."""

    def __init__(self) -> None:
        super().__init__(_Handler)


def platform_arguments(fake: Any, platform: str) -> Json:
    """Return the arguments that lead a client of a cloud to the fake."""
    common = {"base_url": fake.address}
    if platform == "bedrock":
        return {**common, "aws_access_key": "a", "aws_secret_key": "b", "aws_region": "us-east-1"}
    if platform == "vertex":
        return {"base_url": f"{fake.address}/v1", "region": "r", "project_id": "p", "access_token": "t"}
    return {**common, "api_key": "k"}
