"""Three turns through the chat app's own HTTP interface, and the look whether they have arrived."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import httpx2

from example_apps.fastapi_chat.processes import DemoError
from example_apps.fastapi_chat.scripted_replies import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

TURN_SECONDS = 60.0
VISIBLE_SECONDS = 20.0


def hold(chat_url: str, conversation_id: str) -> None:
    """Ask the three questions as the page would, and like the last answer."""
    headers = {"X-Conversation-Id": conversation_id}
    with httpx2.Client(base_url=chat_url, headers=headers, trust_env=False, timeout=TURN_SECONDS) as browser:
        try:
            browser.get("/").raise_for_status()
            for number, question in enumerate(QUESTIONS, 1):
                print(f"  {number}. {question}", flush=True)
                reply_id = ask(browser, question)
            browser.post("/feedback", json={"reply_id": reply_id, "liked": True}).raise_for_status()
        except httpx2.HTTPError as error:
            raise DemoError(f"The chat app failed during the scripted conversation: {error}.") from error


def ask(browser: httpx2.Client, question: str) -> str:
    """Ask one question as the page would, and return the reply's id."""
    with browser.stream("POST", "/chat", json={"text": question}) as response:
        response.raise_for_status()
        for event in _server_sent(response):
            if "error" in event:
                raise DemoError(f"The chat app answered {question!r} with: {event['error']}")
            if "reply_id" in event:
                return str(event["reply_id"])
    raise DemoError(f"The answer to {question!r} broke off.")


def _server_sent(response: httpx2.Response) -> Iterator[dict[str, Any]]:
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def wait_until_visible(analytics_url: str, conversation_id: str) -> str:
    """Return the address of the session page once it shows every turn and the list names the session."""
    page = f"{analytics_url}/sessions/{conversation_id}"
    deadline = time.monotonic() + VISIBLE_SECONDS
    with httpx2.Client(trust_env=False, timeout=5, follow_redirects=True) as reader:
        while True:
            is_listed = f"/sessions/{conversation_id}" in _text(reader, f"{analytics_url}/sessions")
            turns = count_turns(_text(reader, f"{page}?tab=turns"))
            if is_listed and turns == len(QUESTIONS):
                return page
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
    listed = "lists" if is_listed else "does not list"
    raise DemoError(
        f"After {VISIBLE_SECONDS:.0f} s Agent Analytics {listed} the conversation and shows {turns} of its "
        f"{len(QUESTIONS)} turns at {page}?tab=turns."
    )


def count_turns(html: str) -> int:
    """Count the turn cards of a session page, each of which is an anchor of its own."""
    return len(set(re.findall(r'id="turn-(\d+)"', html)))


def _text(reader: httpx2.Client, url: str) -> str:
    try:
        response = reader.get(url)
    except httpx2.HTTPError:
        return ""
    return response.text if response.is_success else ""
