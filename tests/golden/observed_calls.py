"""The calls behind the recorded events that are observed: of models, tools, steps and requests."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import httpx
import openai
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from amplitude_ai_integrations import AmplitudeAI, Anthropic, AsyncOpenAI, OpenAI, observe, tool
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from tests.conftest import running

from .calls import USER

HI: list[Any] = [{"role": "user", "content": "hi"}]


def openai_chat_in_session(ai: AmplitudeAI) -> None:
    messages: list[Any] = [{"role": "system", "content": "sys"}, *HI]
    with OpenAI(amplitude=ai) as client, ai.agent("bot").session("s-oai", user_id=USER):
        client.chat.completions.create(model="gpt-4o", messages=messages, temperature=0.2, max_tokens=50)


def openai_chat_stream(ai: AmplitudeAI) -> None:
    whose: Any = {"amplitude_user_id": USER, "amplitude_conversation_id": "conv"}
    with OpenAI(amplitude=ai) as client:
        list(client.chat.completions.create(model="gpt-4o", messages=HI, stream=True, **whose))


def openai_responses(ai: AmplitudeAI) -> None:
    with OpenAI(amplitude=ai) as client, ai.agent("bot").session("s-resp", user_id=USER):
        client.responses.create(model="gpt-4o", input="hello", instructions="sys")


def openai_error(ai: AmplitudeAI) -> None:
    whose: Any = {"amplitude_user_id": USER}
    with OpenAI(amplitude=ai, max_retries=0) as client, suppress(openai.BadRequestError):
        client.chat.completions.create(model="err", messages=HI, **whose)


def openai_async(ai: AmplitudeAI) -> None:
    async def go() -> None:
        async with AsyncOpenAI(amplitude=ai) as client, ai.agent("bot").session("s-async", user_id=USER):
            await client.chat.completions.create(model="gpt-4o", messages=HI)
            stream = await client.chat.completions.create(model="gpt-4o", messages=HI, stream=True)
            async for _chunk in stream:
                pass

    asyncio.run(go())


def anthropic_messages(ai: AmplitudeAI) -> None:
    tools: list[Any] = [{"name": "get_weather", "description": "w", "input_schema": {"type": "object"}}]
    with Anthropic(amplitude=ai, max_retries=0) as client, ai.agent("bot").session("s-ant", user_id=USER):
        client.messages.create(
            model="claude-sonnet-4-20250514", max_tokens=99, system="be nice", messages=HI, tools=tools
        )


def propagate_headers(ai: AmplitudeAI) -> None:
    with OpenAI(amplitude=ai) as client, ai.agent("bot").session("s-prop", user_id=USER):
        client.chat.completions.create(model="gpt-4o", messages=HI)


def tool_observe_nested(ai: AmplitudeAI) -> None:
    @tool
    def search(q: str, n: int = 3) -> dict[str, Any]:
        return {"hits": [q] * n}

    @tool(name="bad", input_schema=True)
    def bad(x: int) -> None:
        raise ValueError("bad bob@example.com")

    @observe(name="pipeline")
    def pipe(q: str) -> dict[str, bool]:
        search(q, n=2)
        with suppress(ValueError):
            bad(1)
        return {"done": True}

    with ai.agent("bot").session("s-dec", user_id=USER):
        pipe("hello")


def middleware_request(ai: AmplitudeAI) -> None:
    with OpenAI(amplitude=ai) as client:

        def chat(_request: Request) -> JSONResponse:
            client.chat.completions.create(model="gpt-4o", messages=HI)
            return JSONResponse({})

        app = Starlette(routes=[Route("/chat", chat, methods=["POST"])])
        app.add_middleware(
            AmplitudeAIMiddleware,
            amplitude_ai=ai,
            user_id_resolver=lambda request: request.headers.get("x-user"),
            session_id_resolver=lambda _request: "thread-1",
            agent_id="web",
            env="prod",
            context={"surface": "web"},
            groups={"company": "acme"},
            customer_org_id="acme",
            agent_version="v1",
        )
        traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        with running(app) as url:
            httpx.post(f"{url}/chat", headers={"x-user": USER, "traceparent": traceparent})
