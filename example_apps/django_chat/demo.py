"""Agent Analytics, a model and the Django project, with one conversation to look at."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import httpx2

from example_apps.fastapi_chat.processes import DemoError
from example_apps.fastapi_chat.scripted_conversation import ask
from example_apps.fastapi_chat.scripted_replies import QUESTIONS
from example_apps.serving import Example, Service, run

SETTINGS = ("--settings", "example_apps.django_chat.settings")


def prepare(folder: Path) -> dict[str, str]:
    """Make a database, with the user who signs in."""
    own = {"DATABASE": str(folder / "chat.sqlite3")}
    # Commands make no request, so where events go is of no interest to this one.
    migrate = [sys.executable, "-m", "django", "migrate", "--verbosity", "0", *SETTINGS]
    subprocess.run(migrate, env={**os.environ, "OPENAI_API_KEY": "none", **own}, check=True)
    return own


def hold(browser: httpx2.Client) -> str:
    """Sign in, ask three questions, like the last answer, and return the conversation's id."""
    conversation_id: str = browser.headers.setdefault("X-Conversation-Id", f"demo-{uuid4().hex[:8]}")
    browser.follow_redirects = True
    sign_in(browser)
    for number, question in enumerate(QUESTIONS, 1):
        print(f"  {number}. {question}", flush=True)
        reply_id = ask(browser, question)
    browser.post("/feedback", json={"reply_id": reply_id, "liked": True}).raise_for_status()
    return conversation_id


def sign_in(browser: httpx2.Client) -> None:
    """Sign in as the page asks for it."""
    form = {"username": "demo", "password": "demo", "csrfmiddlewaretoken": _token(browser, "/login")}
    browser.post("/login", data=form).raise_for_status()
    browser.headers["X-CSRFToken"] = _token(browser, "/")


def _token(browser: httpx2.Client, path: str) -> str:
    """Return the token that Django wrote into a form of this page."""
    page = browser.get(path).raise_for_status().text
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    if found is None:
        raise DemoError(f"The page at {path} has no form to send.")
    return found[1]


CHAT = Service(
    "The chat (sign in as demo, with the password demo)",
    lambda port: ("django", "runserver", f"127.0.0.1:{port}", "--noreload", *SETTINGS),
)
EXAMPLE = Example(name="django_chat", services=[CHAT], hold=hold, turns=3, prepare=prepare)

if __name__ == "__main__":
    sys.exit(run(EXAMPLE))
