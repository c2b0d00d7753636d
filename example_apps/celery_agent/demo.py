"""Agent Analytics, a model, a web app and its Celery worker, with one conversation to look at."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from uuid import uuid4

import httpx2

from example_apps.fastapi_chat.demo import UVICORN
from example_apps.fastapi_chat.processes import DemoError
from example_apps.fastapi_chat.scripted_conversation import TURN_SECONDS
from example_apps.fastapi_chat.scripted_replies import QUESTIONS
from example_apps.serving import Example, Service, run

QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "warning")


def hold(browser: httpx2.Client, questions: Sequence[str] = QUESTIONS) -> str:
    """Ask questions that are answered in the worker, and return the conversation's id."""
    conversation_id: str = browser.headers.setdefault("X-Conversation-Id", f"demo-{uuid4().hex[:8]}")
    browser.cookies.set("demo_user", "ada")
    for question in questions:
        print(f"  {question}", flush=True)
        _wait_for_answer(browser, question)
    return conversation_id


def _wait_for_answer(browser: httpx2.Client, question: str) -> None:
    task_id = browser.post("/questions", json={"text": question}).raise_for_status().json()["id"]
    deadline = time.monotonic() + TURN_SECONDS
    while time.monotonic() < deadline:
        found = browser.get(f"/questions/{task_id}").raise_for_status().json()
        if found["answer"]:
            return
        if found["state"] == "FAILURE":
            raise DemoError(f"The task for {question!r} failed.")
        time.sleep(0.1)
    raise DemoError(f"{question!r} was not answered within {TURN_SECONDS:.0f} s.")


WORKER = Service(
    "The worker",
    lambda _: ("celery", "-A", "example_apps.celery_agent.tasks", "worker", "--pool", "threads", *QUIET),
    is_server=False,
)
WEB = Service(
    "The web app",
    lambda port: ("uvicorn", "example_apps.celery_agent.web:app", "--port", str(port), *UVICORN),
)
EXAMPLE = Example(
    name="celery_agent",
    services=[WORKER, WEB],
    hold=hold,
    turns=3,
    prepare=lambda folder: {"QUEUE_FOLDER": str(folder)},
)

if __name__ == "__main__":
    sys.exit(run(EXAMPLE))
