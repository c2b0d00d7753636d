"""Amazon Bedrock's runtime on 127.0.0.1: converse and invoke, whole and as event streams.

Beside the common words, `half` sends half of a body and drops the connection.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from .model_server import TEXT, THOUGHT, TOOL_ARGUMENTS, Handler, Json, ModelServer, Script

__all__ = ["TEXT", "THOUGHT", "TOOL_ARGUMENTS", "BedrockServer"]

USAGE = {
    "inputTokens": 10,
    "outputTokens": 7,
    "totalTokens": 27,
    "cacheReadInputTokens": 8,
    "cacheWriteInputTokens": 2,
}
HEADERS = {"x_amzn_bedrock_input_token_count": "20", "x_amzn_bedrock_output_token_count": "7"}
METRICS = {"inputTokenCount": 20, "outputTokenCount": 7, "invocationLatency": 12, "firstByteLatency": 3}
VECTOR = [0.5, 0.25, 0.125]
REFUSALS = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}

_PATH = re.compile(r"/model/([^/]+)/([a-z-]+)")


def _script(body: Json) -> Script:
    prompt = (
        body.get("prompt") or body.get("inputText") or body.get("message") or " ".join(body.get("texts", ()))
    )
    messages = body.get("messages") or [{"role": "user", "content": prompt}]
    spoken, has_result = "", False
    for message in messages:
        content = message["content"]
        blocks = [{"text": content}] if isinstance(content, str) else content
        words = " ".join(block["text"] for block in blocks if "text" in block)
        has_result = has_result or any("toolResult" in block for block in blocks)
        if message["role"] == "user" and words:
            spoken, has_result = words, any("toolResult" in block for block in blocks)
    return Script(spoken, has_result=has_result)


def _blocks(script: Script) -> list[Json]:
    blocks: list[Json] = []
    if script.asks("think"):
        blocks.append({"reasoningContent": {"reasoningText": {"text": script.thought, "signature": "s"}}})
    if script.wants_tool:
        call = {"toolUseId": "call_1", "name": "get_weather", "input": json.loads(script.arguments)}
        return [*blocks, {"toolUse": call}]
    return [*blocks, {"text": script.text}]


def converse_whole(script: Script) -> Json:
    whole: Json = {
        "output": {"message": {"role": "assistant", "content": _blocks(script)}},
        "stopReason": "tool_use" if script.wants_tool else "end_turn",
        "metrics": {"latencyMs": 12},
    }
    return whole if script.asks("nousage") else {**whole, "usage": USAGE}


def converse_events(script: Script) -> Iterator[tuple[str, Json]]:
    yield "messageStart", {"role": "assistant"}
    for place, block in enumerate(_blocks(script)):
        where = {"contentBlockIndex": place}
        if "toolUse" in block:
            start = {name: block["toolUse"][name] for name in ("toolUseId", "name")}
            yield "contentBlockStart", {**where, "start": {"toolUse": start}}
        for delta in _deltas(block, script):
            yield "contentBlockDelta", {**where, "delta": delta}
        yield "contentBlockStop", where
    yield "messageStop", {"stopReason": "tool_use" if script.wants_tool else "end_turn"}
    usage = {} if script.asks("nousage") else {"usage": USAGE}
    yield "metadata", {**usage, "metrics": {"latencyMs": 12}}


def _deltas(block: Json, script: Script) -> list[Json]:
    if "toolUse" in block:
        written = script.arguments
        return [{"toolUse": {"input": part}} for part in (written[:4], written[4:])]
    if "reasoningContent" in block:
        return [{"reasoningContent": {"text": script.thought}}, {"reasoningContent": {"signature": "s"}}]
    return [{"text": piece} for piece in script.pieces]


def _claude(script: Script) -> Json:
    content: list[Json] = [{"type": "thinking", "thinking": script.thought}] if script.asks("think") else []
    if script.wants_tool:
        call = {"id": "call_1", "name": "get_weather", "input": json.loads(script.arguments)}
        content.append({"type": "tool_use", **call})
    else:
        content.append({"type": "text", "text": script.text})
    usage = {"input_tokens": 10, "output_tokens": 7}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-3-haiku",
        "content": content,
        "stop_reason": "tool_use" if script.wants_tool else "end_turn",
        "usage": {**usage, "cache_read_input_tokens": 8, "cache_creation_input_tokens": 2},
    }


def _claude_chunks(script: Script) -> Iterator[Json]:
    whole = _claude(script)
    usage = {**whole["usage"], "output_tokens": 1}
    yield {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None, "usage": usage}}
    for place, block in enumerate(whole["content"]):
        empty = {"text": "", "thinking": "", "input": {}}
        start = {name: empty.get(name, value) for name, value in block.items()}
        yield {"type": "content_block_start", "index": place, "content_block": start}
        for delta in _claude_deltas(block, script):
            yield {"type": "content_block_delta", "index": place, "delta": delta}
        yield {"type": "content_block_stop", "index": place}
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 7}}
    yield {"type": "message_stop"}


def _claude_deltas(block: Json, script: Script) -> list[Json]:
    if block["type"] == "tool_use":
        written = script.arguments
        parts = (written[:4], written[4:])
        return [{"type": "input_json_delta", "partial_json": part} for part in parts]
    if block["type"] == "thinking":
        return [{"type": "thinking_delta", "thinking": script.thought}]
    return [{"type": "text_delta", "text": piece} for piece in script.pieces]


def invoked_whole(model: str, body: Json, script: Script) -> Json:
    """Answer in the words of a model's maker."""
    if "embed" in model:
        counted = {} if "cohere" in model else {"inputTextTokenCount": 5}
        return {"embeddings": [VECTOR]} if "cohere" in model else {"embedding": VECTOR, **counted}
    if "nova" in model:
        return converse_whole(script)
    if "titan" in model:
        result = {"tokenCount": 7, "outputText": script.text, "completionReason": "FINISH"}
        return {"inputTextTokenCount": 20, "results": [result]}
    if "llama" in model:
        counted = {"prompt_token_count": 20, "generation_token_count": 7}
        return {"generation": script.text, **counted, "stop_reason": "stop"}
    if "mistral" in model:
        return {"outputs": [{"text": script.text, "stop_reason": "stop"}]}
    if "cohere" in model:
        return {"generations": [{"id": "g", "text": script.text, "finish_reason": "COMPLETE"}], "id": "i"}
    if "gpt-oss" in model:
        message = {"role": "assistant", "content": script.text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27}
        return {"id": "chatcmpl-1", "model": model, "choices": [choice], "usage": usage}
    return _claude(script) if "messages" in body else {"images": ["aGk="]}


def invoked_chunks(model: str, body: Json, script: Script) -> Iterator[Json]:
    """Answer in the pieces of a model's maker; the last carries what the service counted."""
    chunks = [*_invoked_chunks(model, body, script)]
    if not script.asks("nousage"):
        chunks[-1] = {**chunks[-1], "amazon-bedrock-invocationMetrics": METRICS}
    yield from chunks


def _invoked_chunks(model: str, body: Json, script: Script) -> Iterator[Json]:
    if "nova" in model:
        for name, event in converse_events(script):
            yield {name: event}
    elif "titan" in model:
        for piece in script.pieces:
            yield {"outputText": piece, "index": 0, "completionReason": None}
        yield {"outputText": "", "completionReason": "FINISH", **_TITAN_COUNTS}
    elif "llama" in model:
        for place, piece in enumerate(script.pieces):
            counted = {"prompt_token_count": 20 if place == 0 else None, "generation_token_count": place + 1}
            yield {"generation": piece, **counted, "stop_reason": None}
        yield {"generation": "", "generation_token_count": 7, "stop_reason": "stop"}
    elif "mistral" in model:
        for piece in script.pieces:
            yield {"outputs": [{"text": piece, "stop_reason": None}]}
        yield {"outputs": [{"text": "", "stop_reason": "stop"}]}
    elif "cohere" in model:
        for piece in script.pieces:
            yield {"event_type": "text-generation", "text": piece, "is_finished": False}
        yield {"event_type": "stream-end", "is_finished": True, "finish_reason": "COMPLETE"}
    elif "gpt-oss" in model:
        for piece in script.pieces:
            yield {"id": "c", "model": model, "choices": [{"index": 0, "delta": {"content": piece}}]}
        yield {"id": "c", "model": model, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    else:
        yield from _claude_chunks(script)


_TITAN_COUNTS = {"inputTextTokenCount": 20, "totalOutputTextTokenCount": 7}


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """Return one message of `application/vnd.amazon.eventstream`."""
    head = b""
    for name, value in headers.items():
        head += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + payload
    return message + struct.pack(">I", zlib.crc32(message))


def event(kind: str, value: Json) -> bytes:
    """Return an event of a stream."""
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return frame(headers, json.dumps(value).encode())


def exception(kind: str, message: str) -> bytes:
    """Return an error inside a stream."""
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, json.dumps({"message": message}).encode())


class _Handler(Handler):
    def date_time_string(self, timestamp: float | None = None) -> str:
        return "Sat, 01 Jan 2000 00:00:00 GMT"  # answers and errors hold all headers, and are to be the same

    def script(self, body: Json) -> Script:
        return _script(body)

    def answer(self, body: Json, script: Script) -> None:
        found = _PATH.fullmatch(self.path)
        assert found is not None
        model, operation = unquote(found[1]), found[2]
        ids = {"x_amzn_requestid": "req_1"}
        counts = {} if script.asks("nousage") else HEADERS
        if operation == "converse":
            self.whole(converse_whole(script), script, **ids)
        elif operation == "converse-stream":
            self._events(converse_events(script), script, ids)
        elif operation == "invoke":
            self._invoked(invoked_whole(model, body, script), script, {**ids, **counts})
        else:
            chunks = invoked_chunks(model, body, script)
            encoded = (
                ("chunk", {"bytes": base64.b64encode(json.dumps(chunk).encode()).decode()})
                for chunk in chunks
            )
            self._events(encoded, script, ids)

    def refuse(self, status: int, script: Script) -> None:
        kind = REFUSALS[status]
        self.json(
            status, {"message": f"refused: {script.words}"}, x_amzn_errortype=kind, x_amzn_requestid="req_1"
        )

    def _invoked(self, value: Json, script: Script, headers: dict[str, str]) -> None:
        if not script.asks("half"):
            self.whole(value, script, **headers)
            return
        data = json.dumps(value).encode()
        self.send_response(200)
        for name, text in {"content_length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(data[: len(data) // 2])
        self.close_connection = True

    def _events(self, events: Iterator[tuple[str, Json]], script: Script, ids: dict[str, str]) -> None:
        self.stream(self._frames(events, script), "application/vnd.amazon.eventstream", **ids)

    def _frames(self, events: Iterator[tuple[str, Json]], script: Script) -> Iterator[bytes]:
        pieces = 0
        for kind, value in events:
            yield event(kind, value)
            pieces += _is_piece(value)
            if pieces == 2:
                self.interrupt(script)
                if script.asks("fail"):
                    yield exception("throttlingException", f"broken: {script.words}")
                    return
                pieces += 1


def _is_piece(value: Json) -> bool:
    if "bytes" not in value:
        return "text" in value.get("delta", ())
    inner = base64.b64decode(value["bytes"])
    return any(
        f'"{name}": "'.encode() in inner for name in ("text", "outputText", "generation", "content")
    ) and (b'"text": ""' not in inner and b"_start" not in inner)


class BedrockServer(ModelServer):
    """The running fake; `arguments` leads clients to it."""

    def __init__(self) -> None:
        super().__init__(_Handler)


def arguments(fake: ModelServer, **options: Any) -> dict[str, Any]:
    """Return the arguments that lead a client to the fake, by a name: an address in an error is redacted."""
    endpoint = fake.address.replace("127.0.0.1", "localhost")
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    return {"region_name": "us-east-1", "endpoint_url": endpoint, **keys, **options}
