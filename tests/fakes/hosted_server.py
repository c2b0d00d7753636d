"""APIs where the model runs on the vendor's side, on 127.0.0.1: batches, assistants, realtime.

OpenAI's are under `/v1`, Anthropic's batches under `/v1/messages/batches`, as at their hosts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
from collections.abc import Iterator
from typing import Any

from .model_server import Handler, Json, ModelServer

USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
CLAUDE_USAGE = {
    "input_tokens": 200,
    "cache_read_input_tokens": 700,
    "cache_creation_input_tokens": 100,
    "output_tokens": 100,
}
REALTIME_USAGE = {
    "total_tokens": 27,
    "input_tokens": 20,
    "output_tokens": 7,
    "input_token_details": {"text_tokens": 20, "audio_tokens": 0, "cached_tokens": 8},
    "output_token_details": {"text_tokens": 7, "audio_tokens": 0},
}
SAID = "Good evening."
_ACCEPTS = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3

THREAD = {"id": "thread_1", "object": "thread", "created_at": 1}
RUN = {
    "id": "run_1",
    "object": "thread.run",
    "thread_id": "thread_1",
    "assistant_id": "asst_1",
    "model": "gpt-4o",
    "instructions": "Show your work.",
    "created_at": 10,
    "tools": [],
}
RAN = {**RUN, "status": "completed", "started_at": 11, "completed_at": 14, "usage": USAGE}
CALL = {"name": "multiply", "arguments": '{"a": 6, "b": 7}', "output": "42"}
STEPS = [
    {
        "id": "step_1",
        "object": "thread.run.step",
        "type": "tool_calls",
        "status": "completed",
        "created_at": 11,
        "completed_at": 12,
        "step_details": {
            "type": "tool_calls",
            "tool_calls": [{"id": "call_1", "type": "function", "function": CALL}],
        },
    },
    {
        "id": "step_2",
        "object": "thread.run.step",
        "type": "message_creation",
        "status": "completed",
        "created_at": 12,
        "completed_at": 14,
        "step_details": {"type": "message_creation", "message_creation": {"message_id": "msg_1"}},
    },
]
ANSWER = {
    "id": "msg_1",
    "object": "thread.message",
    "role": "assistant",
    "thread_id": "thread_1",
    "run_id": "run_1",
    "content": [{"type": "text", "text": {"value": "42", "annotations": []}}],
}
BATCH = {
    "id": "batch_1",
    "object": "batch",
    "status": "completed",
    "output_file_id": "file_1",
    "completed_at": 1_764_300_000,
}
BATCH_ANSWER = {
    "id": "chatcmpl-1",
    "model": "gpt-4o",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": USAGE,
}
BATCH_LINES = [
    {"custom_id": "ticket-7", "response": {"status_code": 200, "body": BATCH_ANSWER}, "error": None}
]
CLAUDE_ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-20250514",
    "content": [{"type": "text", "text": "Hello."}],
    "stop_reason": "end_turn",
    "usage": CLAUDE_USAGE,
}
REFUSED = {"type": "invalid_request_error", "message": "messages: at least one message is required"}
CLAUDE_LINES = [
    {"custom_id": "ticket-7", "result": {"type": "succeeded", "message": CLAUDE_ANSWER}},
    {"custom_id": "ticket-8", "result": {"type": "errored", "error": {"type": "error", "error": REFUSED}}},
]


def _listed(items: list[Json]) -> Json:
    return {"object": "list", "data": items, "has_more": False, "first_id": None, "last_id": None}


def _lines(items: list[Json]) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


class _Handler(Handler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        answers = {
            "/v1/threads": THREAD,
            "/v1/threads/thread_1/messages": {**ANSWER, "id": "msg_0", "role": "user"},
            "/v1/threads/thread_1/runs": {**RUN, "status": "queued"},
        }
        self.json(200, answers[self.path])

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/v1/realtime":
            self._converse()
            return
        address = self.server.fake.address
        answers: dict[str, Json | bytes] = {
            "/v1/threads/thread_1/runs/run_1": RAN,
            "/v1/threads/thread_1/runs/run_1/steps": _listed(STEPS),
            "/v1/threads/thread_1/messages": _listed([ANSWER]),
            "/v1/batches/batch_1": BATCH,
            "/v1/files/file_1/content": _lines(BATCH_LINES),
            "/v1/messages/batches/msgbatch_1": {
                "id": "msgbatch_1",
                "type": "message_batch",
                "processing_status": "ended",
                "results_url": f"{address}/v1/messages/batches/msgbatch_1/results",
            },
            "/v1/messages/batches/msgbatch_1/results": _lines(CLAUDE_LINES),
        }
        answer = answers[path]
        if isinstance(answer, dict):
            self.json(200, answer)
            return
        self.send_response(200)
        self.send_header("content-type", "application/binary")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _converse(self) -> None:
        key = self.headers["sec-websocket-key"] + _ACCEPTS
        self.send_response(101)
        self.send_header("upgrade", "websocket")
        self.send_header("connection", "upgrade")
        self.send_header(
            "sec-websocket-accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        )
        self.end_headers()
        self.close_connection = True
        self._say({"type": "session.created", "session": {"type": "realtime", "model": "gpt-realtime"}})
        for heard in self._heard():
            if heard["type"] == "response.create":
                self._answer()

    def _answer(self) -> None:
        where = {"response_id": "resp_1", "item_id": "item_1", "output_index": 0, "content_index": 0}
        for piece in SAID.split():
            self._say({"type": "response.output_text.delta", **where, "delta": piece})
        message = {"id": "item_1", "type": "message", "role": "assistant", "status": "completed"}
        item = {**message, "content": [{"type": "output_text", "text": SAID}]}
        done = {"id": "resp_1", "object": "realtime.response", "status": "completed", "output": [item]}
        self._say({"type": "response.done", "response": {**done, "usage": REALTIME_USAGE}})

    def _say(self, event: Json) -> None:
        data = json.dumps({"event_id": "event_1", **event}).encode()
        size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + struct.pack("!H", len(data))
        self.wfile.write(b"\x81" + size + data)

    def _heard(self) -> Iterator[Any]:
        """Yield what the client says, in frames of text of less than 64 KB, until it closes."""
        while True:
            kind, length = self.rfile.read(2)
            length &= 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", self.rfile.read(2))
            mask, data = self.rfile.read(4), self.rfile.read(length)
            plain = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
            if kind & 0x0F == 8:
                self.wfile.write(b"\x88\x02" + plain[:2])
                return
            if re.match(rb"\{", plain):
                yield json.loads(plain)


class HostedServer(ModelServer):
    """The running fake: `url` is the base URL of OpenAI's clients, `address` that of Anthropic's."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.url = f"{self.address}/v1"
