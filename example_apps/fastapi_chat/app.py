"""A travel guide in a web page. What Agent Analytics needs of it is `ai`, the middleware and `client`."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

from fastapi import Cookie, FastAPI, Header
from fastapi.responses import FileResponse
from fastapi.sse import EventSourceResponse
from fastapi.staticfiles import StaticFiles
from openai import OpenAIError
from openai.lib.streaming.chat import ChatCompletionStreamState
from pydantic import BaseModel, Field

from amplitude_ai_integrations import AmplitudeAI, AsyncOpenAI
from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from example_apps.fastapi_chat.trains import FIND_TRAINS, run_find_trains

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

STATIC = Path(__file__).parent / "static"
MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
INSTRUCTIONS = "You are a travel guide. Answer briefly, in plain text without Markdown."
MODEL_CALLS_PER_TURN = 4

ai = AmplitudeAI()
client = AsyncOpenAI(amplitude=ai)  # the class of `openai` itself: it reads OPENAI_API_KEY, OPENAI_BASE_URL

# In memory, and by user first: knowing a conversation's id must not open somebody else's.
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
    yield
    await asyncio.to_thread(ai.shutdown)


app = FastAPI(title="Travel guide", lifespan=lifespan)
app.add_middleware(
    AmplitudeAIMiddleware,
    amplitude_ai=ai,
    agent_id="travel-guide",
    user_id_resolver=current_user,
    session_id_resolver=current_conversation,
)
app.mount("/static", StaticFiles(directory=STATIC))

User = Annotated[str, Cookie(alias="demo_user", min_length=1, max_length=64)]
ConversationId = Annotated[str, Header(alias="X-Conversation-Id", min_length=1, max_length=64)]


class Question(BaseModel):
    """What the person typed."""

    text: str = Field(min_length=1, max_length=4000)


class Feedback(BaseModel):
    """A thumb, and the reply it is about."""

    reply_id: str
    liked: bool


@app.get("/", include_in_schema=False)
async def page(demo_user: Annotated[str | None, Cookie()] = None) -> FileResponse:
    """The chat page; whoever comes without a name gets one."""
    response = FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})
    if not demo_user:
        response.set_cookie("demo_user", f"guest-{uuid4().hex[:8]}", httponly=True, samesite="lax")
    return response


@app.post("/chat", response_class=EventSourceResponse)
async def chat(question: Question, user: User, conversation: ConversationId) -> AsyncIterator[dict[str, Any]]:
    """Answer one question as server-sent events: text as it comes, tools as they run, then the reply's id."""
    history = conversations[user, conversation]
    messages = [*history, {"role": "user", "content": question.text}]
    try:
        async for event in answer(messages):
            if "reply_id" in event:  # only a turn that came to its end is remembered
                history[:] = messages
            yield event
    except OpenAIError:
        logging.getLogger(__name__).exception("The model did not answer")
        yield {"error": "The model did not answer. Ask again."}


async def answer(messages: list[Any]) -> AsyncIterator[dict[str, Any]]:
    """Call the model, run the tool it asks for, call it again, until it answers in words."""
    for _ in range(MODEL_CALLS_PER_TURN):
        reply_id = str(uuid4())
        reply = ChatCompletionStreamState()
        stream = await client.chat.completions.create(  # type: ignore[call-overload] # amplitude_* is not the vendor's
            model=MODEL,
            messages=[{"role": "system", "content": INSTRUCTIONS}, *messages],
            tools=[FIND_TRAINS],
            stream=True,
            stream_options={"include_usage": True},  # exact tokens, from servers other than OpenAI's too
            amplitude_message_id=reply_id,  # chosen here, so that the page can score this reply
        )
        async with stream:
            async for chunk in stream:
                reply.handle_chunk(chunk)
                if chunk.choices and (text := chunk.choices[0].delta.content):
                    yield {"text": text}
        message = reply.current_completion_snapshot.choices[0].message
        messages.append(message.model_dump(exclude_none=True, exclude={"tool_calls": {"__all__": {"index"}}}))
        if not message.tool_calls:
            yield {"reply_id": reply_id}
            return
        for call in message.tool_calls:
            yield {"tool": call.function.name, "arguments": call.function.arguments}
            result = run_find_trains(call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    yield {"error": f"No answer after {MODEL_CALLS_PER_TURN} model calls. Ask in other words."}


@app.post("/feedback", status_code=204)
async def feedback(thumb: Feedback, conversation: ConversationId) -> None:
    """Score a reply; the score finds its user and its session in the request, as the calls above do."""
    ai.score(
        name="user-feedback",
        value=1.0 if thumb.liked else 0.0,
        target_id=thumb.reply_id,
        target_type="message",
        source="user",
    )
