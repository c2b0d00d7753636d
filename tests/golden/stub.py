"""The answers of OpenAI's and Anthropic's APIs that the recorded events were made of."""

from __future__ import annotations

import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MODEL = "gpt-4o-2024-08-06"
WORDS = ("w0 ", "w1 ", "w2 ", "w3 ", "w4 ")
USAGE = {
    "prompt_tokens": 20,
    "completion_tokens": 5,
    "total_tokens": 25,
    "prompt_tokens_details": {"cached_tokens": 8},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


class Stub:
    """The application, and the headers of the request before."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        paths = {"/v1/chat/completions": self.chat, "/v1/responses": self.responses}
        paths["/v1/messages"] = self.messages
        self.app = Starlette(routes=[Route(path, take, methods=["POST"]) for path, take in paths.items()])

    async def chat(self, request: Request) -> Response:
        self.headers = dict(request.headers)
        body = await request.json()
        if body["model"] == "err":
            error = {"message": "boom for bob@example.com", "type": "invalid_request_error"}
            return JSONResponse(
                {"error": error, "message": "boom for bob@example.com"}, 400, {"x-request-id": "req_local_1"}
            )
        if body.get("stream"):
            return Response(_streamed(), media_type="text/event-stream")
        message = {"role": "assistant", "content": "Hello there"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return JSONResponse(_chat("chat.completion", choices=[choice], usage=USAGE))

    async def responses(self, request: Request) -> Response:
        body = await request.json()
        part = {"type": "output_text", "text": "Hi from responses", "annotations": []}
        message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
        whole = {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "model": body["model"],
            "status": "completed",
            "output": [{**message, "content": [part]}],
            "usage": {"input_tokens": 11, "output_tokens": 3, "total_tokens": 14},
        }
        return JSONResponse(whole)

    async def messages(self, request: Request) -> Response:
        body = await request.json()
        tool = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}}
        thought = {"type": "thinking", "thinking": "let me think", "signature": "s"}
        usage = {"input_tokens": 30, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 10}
        whole = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [thought, {"type": "text", "text": "Bonjour"}, tool],
            "stop_reason": "tool_use",
            "stop_sequence": None,
            "usage": {**usage, "output_tokens": 6},
        }
        return JSONResponse(whole)


def _chat(kind: str, **more: Any) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": MODEL, **more}


def _streamed() -> str:
    deltas = [{"role": "assistant", "content": ""}, *({"content": word} for word in WORDS), {}]
    chunks = [
        _chat("chat.completion.chunk", choices=[{"index": 0, "delta": delta, "finish_reason": None}])
        for delta in deltas
    ]
    chunks[-1]["choices"][0]["finish_reason"] = "stop"
    chunks.append(_chat("chat.completion.chunk", choices=[], usage=USAGE))
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
