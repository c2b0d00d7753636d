"""The chat itself: conversations, each answer streamed as it comes, and a thumb on an answer."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from flask import Blueprint, Request, Response, current_app, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required  # type: ignore[import-untyped]  # it carries no types
from openai import OpenAIError

from example_apps.flask_chat.extensions import tracking

MODEL = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
INSTRUCTIONS = "You are a travel guide. Answer briefly, in plain text without Markdown."

blueprint = Blueprint("chat", __name__)
# In memory, and by person first: knowing a conversation's id must not open somebody else's.
conversations: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)


def conversation_of(sent: Request) -> str | None:
    """A conversation outlives the request, so its id is the application's: it stands in the path."""
    return (sent.view_args or {}).get("conversation_id")


@blueprint.before_request
@login_required  # type: ignore[untyped-decorator]
def only_for_people() -> None:
    """Send strangers to the door."""


@blueprint.get("/")
def page() -> str:
    """The chat page."""
    return render_template("chat.html", name=current_user.id)


@blueprint.post("/conversations")
def begin() -> ResponseReturnValue:
    """Begin a conversation."""
    return {"id": uuid4().hex}, 201


@blueprint.post("/conversations/<conversation_id>")
def ask(conversation_id: str) -> ResponseReturnValue:
    """Answer a question, word by word; the header names the answer, for a thumb."""
    reply_id = str(uuid4())
    history = conversations[current_user.id, conversation_id]
    messages = [*history, {"role": "user", "content": request.get_data(as_text=True)}]
    words = stream_with_context(answer(messages, history, reply_id))
    return Response(words, mimetype="text/plain", headers={"X-Reply-Id": reply_id})


@blueprint.post("/conversations/<conversation_id>/thumbs")
def thumb(conversation_id: str) -> ResponseReturnValue:
    """Score an answer; the score finds its user and its session in the request, as calls of the model do."""
    given = request.get_json()
    tracking.client.score(
        name="user-feedback",
        value=1.0 if given["liked"] else 0.0,
        target_id=given["reply_id"],
        target_type="message",
        source="user",
    )
    return "", 204


def answer(messages: list[Any], history: list[Any], reply_id: str) -> Iterator[str]:
    """Call the model and pass its words on; only a turn that came to its end is remembered."""
    said = ""
    try:
        stream = current_app.extensions["model"].chat.completions.create(
            model=MODEL,
            messages=[{"role": "system", "content": INSTRUCTIONS}, *messages],
            stream=True,
            stream_options={"include_usage": True},  # exact tokens, from servers other than OpenAI's too
            amplitude_message_id=reply_id,  # chosen here, so that a thumb can score this answer
        )
        with stream:
            for chunk in stream:
                if chunk.choices and (text := chunk.choices[0].delta.content):
                    said += text
                    yield text
    except OpenAIError:
        current_app.logger.exception("The model did not answer")
        yield "The model did not answer. Ask again."
        return
    history[:] = [*messages, {"role": "assistant", "content": said}]
