"""OpenAI's API on 127.0.0.1, scripted by words in the last user text of a request.

`tool` asks for a tool, `think` shows reasoning, `echo:...` answers with the rest, `nousage` counts nothing,
`error500` fails (`error500x2` twice, then answers), `fail` fails inside the stream, `cut` drops the
connection after two pieces, `stall` waits there until `release()`.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TEXT = "One two three four."
THOUGHT = "Let me think."
TOOL_ARGUMENTS = '{"city":"Paris"}'
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

Json = dict[str, Any]


class CutError(Exception):
    """The connection ends here."""


class Script:
    """What the last user text of a request asks for."""

    def __init__(self, body: Json) -> None:
        items = body.get("messages", body.get("input", ""))
        if not items or not isinstance(items[0], dict):
            items = [{"role": "user", "content": str(items)}]
        spoken = [place for place, item in enumerate(items) if _role(item) == "user"]
        self.words = _text(items[spoken[-1]]) if spoken else ""
        after = items[spoken[-1] + 1 :] if spoken else []
        self.has_result = any(_role(item) in ("tool", "function_call_output") for item in after)

    def asks(self, word: str) -> bool:
        return re.search(rf"\b{word}\b", self.words) is not None

    @property
    def text(self) -> str:
        echo = re.search(r"echo:(.*)", self.words, re.DOTALL)
        return echo[1] if echo else TEXT

    @property
    def pieces(self) -> list[str]:
        return re.findall(r"\S+\s*", self.text)

    @property
    def arguments(self) -> str:
        given = re.search(r"tool:(\{.*?\})", self.words)
        return given[1] if given else TOOL_ARGUMENTS

    @property
    def thought(self) -> str:
        given = re.search(r"think:(\S+)", self.words)
        return given[1] if given else THOUGHT

    @property
    def wants_tool(self) -> bool:
        return self.asks("tool") and not self.has_result

    @property
    def error(self) -> tuple[int, int] | None:
        found = re.search(r"error(\d{3})(?:x(\d))?", self.words)
        return (int(found[1]), int(found[2] or 0)) if found else None


def _role(item: Json) -> str:
    return str(item.get("role") or item.get("type"))


def _text(item: Json) -> str:
    content = item["content"]
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _chat_call(script: Script) -> Json:
    return {
        "id": "call_1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": script.arguments},
    }


def chat_whole(body: Json, script: Script) -> Json:
    message: Json = {"role": "assistant", "content": None if script.wants_tool else script.text}
    if script.wants_tool:
        message["tool_calls"] = [_chat_call(script)]
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
    if script.wants_tool:
        call = _chat_call(script)
        name = {"name": "get_weather", "arguments": ""}
        yield chunk({"tool_calls": [{**call, "index": 0, "function": name}]})
        for part in (script.arguments[:4], script.arguments[4:]):
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
    if script.wants_tool:
        call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "status": "completed"}
        items.append({**call, "name": "get_weather", "arguments": script.arguments})
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
        yield {"type": "response.function_call_arguments.delta", **where, "delta": script.arguments}
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


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        fake = self.server.fake
        fake.requests.append({"path": self.path, "headers": dict(self.headers), "body": body})
        script = Script(body)
        _before, _v1, name = self.path.partition("/v1/")
        if script.error is not None and fake.still_fails(script.words, *script.error):
            self._error(script)
        elif body.get("stream"):
            self._stream(_STREAMED[name](body, script), script)
        else:
            self._whole(_WHOLE[name](body, script), script)

    def _error(self, script: Script) -> None:
        error = {"message": f"refused: {script.words}", "type": "fake", "code": None, "param": None}
        self._json(script.error[0] if script.error else 500, {"error": error})

    def _whole(self, whole: Json, script: Script) -> None:
        if script.asks("stall"):
            self.server.fake.wait()
        if script.asks("cut"):
            self.close_connection = True
            return
        self._json(200, whole)

    def _json(self, status: int, value: Json) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.send_header("retry-after-ms", "1")
        self.send_header("x-request-id", "req_1")
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, events: Iterator[Json], script: Script) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.send_header("x-request-id", "req_1")
        self.end_headers()
        try:
            for event in self._until_told(events, script):
                name = f"event: {event['type']}\n" if "type" in event else ""
                self._chunk(f"{name}data: {json.dumps(event)}\n\n")
            self._chunk("data: [DONE]\n\n")
            self._chunk("")
        except (CutError, OSError):
            self.close_connection = True

    def _until_told(self, events: Iterator[Json], script: Script) -> Iterator[Json]:
        pieces = 0
        for event in events:
            pieces += '"delta": "' in json.dumps(event) or '"content": "' in json.dumps(event.get("choices"))
            yield event
            if pieces == (2 if event.get("type") else 3):  # a chat's first chunk has an empty piece
                self._interrupt(script)
                if script.asks("fail") and not event.get("type"):
                    yield {"error": {"message": f"broken: {script.words}", "type": "fake", "code": None}}
                pieces += 1

    def _interrupt(self, script: Script) -> None:
        if script.asks("stall"):
            self.server.fake.wait()
        if script.asks("cut"):
            raise CutError

    def _chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, *_given: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    fake: OpenAIServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what many tests are about."""


class OpenAIServer:
    """The running fake: where it is, and what it received."""

    def __init__(self) -> None:
        self.requests: list[Json] = []
        self._failures: Counter[str] = Counter()
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.address}/v1"

    def still_fails(self, words: str, _status: int, times: int) -> bool:
        """Tell whether a request that is to fail (so many times; 0 is always) fails now."""
        self._failures[words] += 1
        return times == 0 or self._failures[words] <= times

    def wait(self) -> None:
        """Wait, as a stalled answer does."""
        self._released.wait(10)

    def release(self) -> None:
        """Let stalled answers go on, and forget what was received."""
        self._released.set()
        self._released = threading.Event()
        self.requests.clear()
        self._failures.clear()

    def stop(self) -> None:
        """End the server."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
