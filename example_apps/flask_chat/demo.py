"""Agent Analytics, a model and the Flask application, with one conversation to look at."""

from __future__ import annotations

import sys

import httpx2

from example_apps.fastapi_chat.scripted_replies import QUESTIONS
from example_apps.serving import Example, Service, ask, run

SEE, _, PACK = QUESTIONS


def hold(browser: httpx2.Client) -> str:
    """Log in, ask two questions in a conversation, like the last answer, and return the conversation's id."""
    browser.post("/login", data={"name": "ada"}, follow_redirects=True).raise_for_status()
    conversation_id = str(browser.post("/conversations").raise_for_status().json()["id"])
    path = f"/conversations/{conversation_id}"
    for question in (SEE, PACK):
        answered = ask(browser, path, question, content=question)
    thumb = {"reply_id": answered.headers["X-Reply-Id"], "liked": True}
    browser.post(f"{path}/thumbs", json=thumb).raise_for_status()
    return conversation_id


CHAT = Service(
    "The chat", lambda port: ("flask", "--app", "example_apps.flask_chat.app", "run", "--port", str(port))
)
EXAMPLE = Example(
    name="flask_chat",
    services=[CHAT],
    hold=hold,
    turns=2,
)

if __name__ == "__main__":
    sys.exit(run(EXAMPLE))
