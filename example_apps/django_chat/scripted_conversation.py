"""Sign in as the page asks for it, then hold the conversation of the other chat."""

from __future__ import annotations

import re

import httpx2

from example_apps.fastapi_chat.processes import DemoError
from example_apps.fastapi_chat.scripted_conversation import TURN_SECONDS, _ask
from example_apps.fastapi_chat.scripted_replies import QUESTIONS


def hold(chat_url: str, conversation_id: str) -> None:
    """Ask the three questions as the page would, and like the last answer."""
    headers = {"X-Conversation-Id": conversation_id}
    with httpx2.Client(
        base_url=chat_url, headers=headers, trust_env=False, timeout=TURN_SECONDS, follow_redirects=True
    ) as browser:
        try:
            _sign_in(browser)
            for number, question in enumerate(QUESTIONS, 1):
                print(f"  {number}. {question}", flush=True)
                reply_id = _ask(browser, question)
            thumb = {"reply_id": reply_id, "liked": True}
            browser.post("/feedback", json=thumb).raise_for_status()
        except httpx2.HTTPError as error:
            raise DemoError(f"The chat app failed during the scripted conversation: {error}.") from error


def _sign_in(browser: httpx2.Client) -> None:
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
