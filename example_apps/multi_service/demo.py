"""Agent Analytics, a model and two services, with one conversation that passes through both, to look at."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from uuid import uuid4

import httpx2

from example_apps.fastapi_chat.demo import UVICORN
from example_apps.fastapi_chat.scripted_replies import QUESTIONS
from example_apps.serving import Example, Service, ask, run


def hold(browser: httpx2.Client, questions: Sequence[str] = QUESTIONS) -> str:
    """Ask the planner, which asks the searcher for one of the answers; return the conversation's id."""
    conversation_id: str = browser.headers.setdefault("X-Conversation-Id", f"demo-{uuid4().hex[:8]}")
    browser.cookies.set("demo_user", "ada")
    for question in questions:
        ask(browser, "/questions", question, json={"text": question})
    return conversation_id


SEARCHER = Service(
    "The searcher",
    lambda port: ("flask", "--app", "example_apps.multi_service.searcher", "run", "--port", str(port)),
    tells="SEARCHER_URL",
)
PLANNER = Service(
    "The planner",
    lambda port: ("uvicorn", "example_apps.multi_service.planner:app", "--port", str(port), *UVICORN),
)
EXAMPLE = Example(
    name="multi_service", services=[SEARCHER, PLANNER], hold=hold, turns=3, agents=["planner", "searcher"]
)

if __name__ == "__main__":
    sys.exit(run(EXAMPLE))
