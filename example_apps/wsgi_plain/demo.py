"""Agent Analytics, a model and the WSGI application, with one conversation to look at."""

from __future__ import annotations

import sys
from uuid import uuid4

import httpx2

from example_apps.fastapi_chat.scripted_replies import QUESTIONS
from example_apps.serving import Example, Service, ask, run

SEE, _, PACK = QUESTIONS


def hold(browser: httpx2.Client) -> str:
    """Ask two questions in one conversation, and return its id."""
    conversation_id = f"demo-{uuid4().hex[:8]}"
    for question in (SEE, PACK):
        ask(browser, "/", question, content=question, headers={"X-Conversation-Id": conversation_id})
    return conversation_id


APPLICATION = Service("The application", lambda port: ("example_apps.wsgi_plain.app", str(port)))
EXAMPLE = Example(
    name="wsgi_plain",
    services=[APPLICATION],
    hold=hold,
    turns=2,
)

if __name__ == "__main__":
    sys.exit(run(EXAMPLE))
