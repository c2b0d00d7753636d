"""The web app: it takes questions, queues them, and says what became of them. No agent speaks in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celery.result import AsyncResult  # type: ignore[import-untyped]
from fastapi import FastAPI
from pydantic import BaseModel, Field

from amplitude_ai_integrations.middleware import AmplitudeAIMiddleware
from example_apps.celery_agent import tasks

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection


def current_user(connection: HTTPConnection) -> str | None:
    """A real application takes the user from its authentication, never from what a browser can choose."""
    return connection.cookies.get("demo_user")


def current_conversation(connection: HTTPConnection) -> str | None:
    """The conversation goes on in the worker, and in the next request."""
    return connection.headers.get("x-conversation-id")


app = FastAPI(title="Travel guide, by post")
app.add_middleware(
    AmplitudeAIMiddleware,
    amplitude_ai=tasks.ai(),
    agent_id="travel-guide",
    user_id_resolver=current_user,
    session_id_resolver=current_conversation,
)


class Question(BaseModel):
    """What the person typed."""

    text: str = Field(min_length=1, max_length=4000)


@app.get("/", include_in_schema=False)
def ready() -> dict[str, str]:
    """Say that the service is up."""
    return {"service": "celery_agent"}


@app.post("/questions", status_code=202)
def ask(question: Question) -> dict[str, str]:
    """Queue a question; session, user and agent of this request go with it."""
    return {"id": tasks.answer.delay(question.text).id}


@app.get("/questions/{task_id}")
def look(task_id: str) -> dict[str, str | None]:
    """Say whether a question is answered, and how."""
    result = AsyncResult(task_id, app=tasks.app)
    return {"state": result.state, "answer": result.result if result.successful() else None}
