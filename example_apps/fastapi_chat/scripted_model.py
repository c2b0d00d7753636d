"""A model server with a script instead of a model, speaking OpenAI's chat completions."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

from fastapi import FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from example_apps.fastapi_chat.scripted_replies import reply_to
from example_apps.fastapi_chat.scripted_wire import ChatRequest, Completion

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


def scripted_model(seconds_per_word: float = 0.02) -> FastAPI:
    """Return the server; it answers at the pace of a fast model, or at once with 0."""
    app = FastAPI(title="Scripted model")
    app.add_exception_handler(RequestValidationError, _bad_request)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _refused)  # type: ignore[arg-type]

    @app.post("/v1/chat/completions")
    async def chat_completions(
        request: ChatRequest, authorization: Annotated[str | None, Header()] = None
    ) -> Response:
        _require_key(authorization)
        messages = [message.model_dump() for message in request.messages]
        completion = Completion(request, reply_to(messages, request.tool_names))
        headers = {"x-request-id": f"req_{uuid4().hex}"}
        if request.stream:
            events = _server_sent(completion, seconds_per_word)
            return StreamingResponse(events, media_type="text/event-stream", headers=headers)
        await asyncio.sleep(seconds_per_word * len(completion.reply.text.split()))
        return JSONResponse(completion.whole(), headers=headers)

    @app.get("/v1/models")
    async def models(authorization: Annotated[str | None, Header()] = None) -> dict[str, Any]:
        _require_key(authorization)
        model = {"id": "gpt-4o-mini", "object": "model", "created": 1721172741, "owned_by": "system"}
        return {"object": "list", "data": [model]}

    return app


async def _server_sent(completion: Completion, seconds_per_word: float) -> AsyncIterator[str]:
    await asyncio.sleep(10 * seconds_per_word)  # a model reads before it writes
    for chunk in completion.chunks():
        yield f"data: {json.dumps(chunk)}\n\n"
        await asyncio.sleep(seconds_per_word)
    yield "data: [DONE]\n\n"


def _require_key(authorization: str | None) -> None:
    if not (authorization or "").removeprefix("Bearer ").strip():
        raise HTTPException(401, "You didn't provide an API key.")


async def _bad_request(_: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    place = _parameter(first["loc"][1:])
    if first["type"] == "json_invalid":
        return _error(400, "We could not parse the JSON body of your request.")
    if first["type"] == "missing":
        return _error(400, f"Missing required parameter: '{place}'.", place, "missing_required_parameter")
    if first["type"] == "value_error":
        return _error(400, str(first["ctx"]["error"]), place)
    return _error(400, f"Invalid value for '{place or 'body'}': {first['msg']}.", place, "invalid_value")


async def _refused(request: Request, error: HTTPException) -> JSONResponse:
    if error.status_code == 404:
        return _error(404, f"Invalid URL ({request.method} {request.url.path})")
    return _error(error.status_code, error.detail)


def _error(status: int, message: str, param: str | None = None, code: str | None = None) -> JSONResponse:
    detail = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return JSONResponse({"error": detail}, status)


def _parameter(location: Sequence[str | int]) -> str | None:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(steps).removeprefix(".") or None


app = scripted_model()
