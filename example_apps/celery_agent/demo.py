"""``python -m example_apps.celery_agent.demo``: a web app, its worker, a model and Agent Analytics to see."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import httpx2

from example_apps.fastapi_chat.demo import (
    UVICORN,
    _end,
    _place,
    analytics_server,
    scripted_model_server,
    stay,
)
from example_apps.fastapi_chat.processes import ENDS, Child, DemoError, choose_port, signals_held
from example_apps.fastapi_chat.scripted_conversation import TURN_SECONDS, wait_until_visible
from example_apps.fastapi_chat.scripted_replies import QUESTIONS

WEB_PORT = 8000
WORKER = ("celery", "-A", "example_apps.celery_agent.tasks", "worker", "--pool", "threads")
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "warning")


class Children(NamedTuple):
    """What runs."""

    web: Child
    worker: Child
    others: tuple[Child, ...] = ()

    @property
    def all(self) -> list[Child]:
        """Every child."""
        return [self.web, self.worker, *self.others]


def main() -> int:
    """Run the demo and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="exit when the conversation is visible")
    options = parser.parse_args()
    for number in ENDS:
        if number != signal.SIGINT:  # which Python makes a KeyboardInterrupt
            signal.signal(number, _end)
    try:
        with tempfile.TemporaryDirectory(prefix="celery-agent-") as name, ExitStack() as running:
            folder = Path(name)
            with signals_held():
                analytics = running.enter_context(analytics_server(folder, is_once=options.once))
            children = start(running, folder, analytics.url)
            children = children._replace(others=(*children.others, analytics))
            analytics.wait_until_it_answers()
            show_one_conversation(children, analytics.url)
            if not options.once:
                stay(children)  # type: ignore[arg-type] # which asks for no more than `all`
    except DemoError as error:
        print(f"The demo failed: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def start(running: ExitStack, folder: Path, events_url: str) -> Children:
    """Start the web app and the worker, and a model if no key for a real one is set."""
    settings = {"AMPLITUDE_AI_SERVER_URL": events_url, "QUEUE_FOLDER": str(folder)}
    models: tuple[Child, ...] = ()
    with signals_held():
        if not os.environ.get("OPENAI_API_KEY"):
            print("No OPENAI_API_KEY, so a scripted model answers.", flush=True)
            models = (running.enter_context(scripted_model_server(folder)),)
            settings |= {"OPENAI_API_KEY": "scripted", "OPENAI_BASE_URL": f"{models[0].url}/v1"}
        port = choose_port(WEB_PORT, "the web app")
        uvicorn = ("uvicorn", "example_apps.celery_agent.web:app", "--port", str(port), *UVICORN)
        web = running.enter_context(Child("The web app", *uvicorn, **_place(folder, port, **settings)))
        place = {**_place(folder, port, **settings), "log": folder / "worker.log"}
        worker = running.enter_context(Child("The worker", *WORKER, *QUIET, **place))
    for child in (web, *models):
        child.wait_until_it_answers()
    return Children(web, worker, models)


def show_one_conversation(children: Children, analytics_url: str) -> None:
    """Hold the scripted conversation, see it arrive, and print where to look."""
    conversation_id = f"demo-{uuid4().hex[:8]}"
    print("One conversation of three turns, each answered in the worker:", flush=True)
    try:
        hold(children.web.url, conversation_id, QUESTIONS)
        page = wait_until_visible(analytics_url, conversation_id)
    except DemoError as error:
        for child in children.all:
            child.check()  # a dead child explains more than the step that missed it
        printed = "\n".join(f"{child.name}:{child.last_lines()}" for child in children.all)
        raise DemoError(f"{error}\n{printed}") from error
    print(f"It is in Agent Analytics:\n  {page}", flush=True)


def hold(web_url: str, conversation_id: str, questions: tuple[str, ...]) -> None:
    """Ask, as one person in one conversation, and wait for each answer."""
    about = {"headers": {"X-Conversation-Id": conversation_id}, "cookies": {"demo_user": "ada"}}
    with httpx2.Client(base_url=web_url, trust_env=False, timeout=5, **about) as browser:  # type: ignore[arg-type] # both are what it takes
        for number, question in enumerate(questions, 1):
            print(f"  {number}. {question}", flush=True)
            try:
                _wait_for_answer(browser, question)
            except httpx2.HTTPError as error:
                raise DemoError(f"The web app failed during the scripted conversation: {error}.") from error


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


if __name__ == "__main__":
    sys.exit(main())
