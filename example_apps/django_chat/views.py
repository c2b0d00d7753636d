"""The chat in a web page; none of its views tracks anything but the thumb."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST
from openai import OpenAIError

from amplitude_ai_integrations.django import get_client
from example_apps.django_chat import guide
from example_apps.django_chat.models import Conversation

LONGEST_QUESTION = 4_000


def current_conversation(request: HttpRequest) -> str | None:
    """A conversation outlives the request, so its id is ours: the middleware leaves the session open."""
    key: str | None = request.headers.get("X-Conversation-Id")
    return key


@login_required  # type: ignore[untyped-decorator]  # Django carries no types
@ensure_csrf_cookie  # type: ignore[untyped-decorator]
def page(request: HttpRequest) -> HttpResponse:
    """The chat page."""
    return render(request, "chat.html")


@login_required  # type: ignore[untyped-decorator]
@require_POST  # type: ignore[untyped-decorator]
def chat(request: HttpRequest) -> HttpResponse:
    """Answer one question as server-sent events: text as it comes, tools as they run, then the reply's id."""
    text = json.loads(request.body).get("text", "")
    key = current_conversation(request)
    if not key or not 0 < len(text) <= LONGEST_QUESTION:
        return HttpResponseBadRequest("A question needs words, and a conversation.")
    conversation, _ = Conversation.objects.get_or_create(user=request.user, key=key)
    response = StreamingHttpResponse(reply_to(text, conversation), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    return response


def reply_to(text: str, conversation: Conversation) -> Iterator[str]:
    """Ask the guide, and remember the turn once it has come to its end."""
    messages = [*conversation.messages, {"role": "user", "content": text}]
    try:
        for event in guide.answer(messages):
            if "reply_id" in event:
                conversation.messages = messages
                conversation.save()
            yield server_sent(event)
    except OpenAIError:
        logging.getLogger(__name__).exception("The model did not answer")
        yield server_sent({"error": "The model did not answer. Ask again."})


def server_sent(event: dict[str, Any]) -> str:
    """Return an event as the page reads it."""
    return f"data: {json.dumps(event)}\n\n"


@login_required  # type: ignore[untyped-decorator]
@require_POST  # type: ignore[untyped-decorator]
def feedback(request: HttpRequest) -> HttpResponse:
    """Score a reply; the score finds its user and its session in the request, as the model calls do."""
    thumb = json.loads(request.body)
    get_client().score(
        name="user-feedback",
        value=1.0 if thumb["liked"] else 0.0,
        target_id=thumb["reply_id"],
        target_type="message",
        source="user",
    )
    return HttpResponse(status=204)
