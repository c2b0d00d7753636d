"""The service people talk to. What joins the two is `propagate_httpx` around the client of the other one."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import httpx2
from fastapi import Cookie, FastAPI, Header
from pydantic import BaseModel, Field

from amplitude_ai_integrations import AmplitudeAI, AsyncOpenAI
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from amplitude_ai_integrations.outgoing import propagate_httpx
from example_apps.fastapi_chat.trains import FIND_TRAINS

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

SEARCHER_URL = os.environ.get("SEARCHER_URL", "http://127.0.0.1:8001")
MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
INSTRUCTIONS = "You plan trips. Answer briefly, in plain text without Markdown."
MODEL_CALLS_PER_TURN = 4

ai = AmplitudeAI()
client = AsyncOpenAI(amplitude=ai)
searcher = propagate_httpx(httpx2.AsyncClient(base_url=SEARCHER_URL, trust_env=False))

conversations: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)


def current_user(connection: HTTPConnection) -> str | None:
    """A real application takes the user from its authentication, never from what a browser can choose."""
    return connection.cookies.get("demo_user")


def current_conversation(connection: HTTPConnection) -> str | None:
    """A conversation outlives the request, so its id is ours: the middleware leaves the session open."""
    return connection.headers.get("x-conversation-id")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Deliver what is still waiting when the server stops."""
    async with searcher:
        yield
    await asyncio.to_thread(ai.shutdown)


app = FastAPI(title="Planner", lifespan=lifespan)
app.add_middleware(
    AmplitudeAIMiddleware,
    amplitude_ai=ai,
    agent_id="planner",
    user_id_resolver=current_user,
    session_id_resolver=current_conversation,
)


class Question(BaseModel):
    """What the person typed."""

    text: str = Field(min_length=1, max_length=4000)


@app.get("/", include_in_schema=False)
async def ready() -> dict[str, str]:
    """Say that the service is up."""
    return {"service": "planner"}


@app.post("/questions")
async def answer(
    question: Question,
    user: Annotated[str, Cookie(alias="demo_user")],
    conversation: Annotated[str, Header(alias="X-Conversation-Id")],
) -> dict[str, str]:
    """Answer one question; trains are the other service's."""
    history = conversations[user, conversation]
    messages = [*history, {"role": "user", "content": question.text}]
    for _ in range(MODEL_CALLS_PER_TURN):
        completion = await client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "system", "content": INSTRUCTIONS}, *messages],
            tools=[FIND_TRAINS],  # type: ignore[list-item] # a plain dictionary, as the vendor's guides show it
        )
        message = completion.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        if not message.tool_calls:
            history[:] = messages
            return {"answer": message.content or ""}
        for call in message.tool_calls:
            found = await find_trains(call.function.arguments, user)  # type: ignore[union-attr] # the only kind on offer
            messages.append({"role": "tool", "tool_call_id": call.id, "content": found})
    return {"answer": f"No answer after {MODEL_CALLS_PER_TURN} model calls. Ask in other words."}


async def find_trains(arguments: str, user: str) -> str:
    """Ask the searcher, which is told whom it serves in a header of this application's own."""
    response = await searcher.post("/trains", content=arguments, headers={"x-user": user})
    return response.raise_for_status().text
