"""``python -m example_apps.multi_service.demo``: two services, a model and Agent Analytics, to look at."""

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
from example_apps.fastapi_chat.scripted_conversation import TURN_SECONDS, VISIBLE_SECONDS, wait_until_visible
from example_apps.fastapi_chat.scripted_replies import QUESTIONS

PLANNER_PORT, SEARCHER_PORT = 8000, 8001


class Children(NamedTuple):
    """What runs."""

    planner: Child
    searcher: Child
    others: tuple[Child, ...] = ()

    @property
    def all(self) -> list[Child]:
        """Every child."""
        return [self.planner, self.searcher, *self.others]


def main() -> int:
    """Run the demo and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="exit when the conversation is visible")
    options = parser.parse_args()
    for number in ENDS:
        if number != signal.SIGINT:  # which Python makes a KeyboardInterrupt
            signal.signal(number, _end)
    try:
        with tempfile.TemporaryDirectory(prefix="two-services-") as name, ExitStack() as running:
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
    """Start both services, and a model if no key for a real one is set; return when each answers."""
    settings = {"AMPLITUDE_AI_SERVER_URL": events_url}
    models: tuple[Child, ...] = ()
    with signals_held():
        if not os.environ.get("OPENAI_API_KEY"):
            print("No OPENAI_API_KEY, so a scripted model answers.", flush=True)
            models = (running.enter_context(scripted_model_server(folder)),)
            settings |= {"OPENAI_API_KEY": "scripted", "OPENAI_BASE_URL": f"{models[0].url}/v1"}
        port = choose_port(SEARCHER_PORT, "the searcher")
        flask = ("flask", "--app", "example_apps.multi_service.searcher", "run", "--port", str(port))
        searcher = running.enter_context(Child("The searcher", *flask, **_place(folder, port, **settings)))
        settings |= {"SEARCHER_URL": searcher.url}
        port = choose_port(PLANNER_PORT, "the planner")
        uvicorn = ("uvicorn", "example_apps.multi_service.planner:app", "--port", str(port), *UVICORN)
        planner = running.enter_context(Child("The planner", *uvicorn, **_place(folder, port, **settings)))
    children = Children(planner, searcher, models)
    for child in children.all:
        child.wait_until_it_answers()
    return children


def show_one_conversation(children: Children, analytics_url: str) -> None:
    """Hold the scripted conversation, see it arrive from both services, and print where to look."""
    conversation_id = f"demo-{uuid4().hex[:8]}"
    print("One conversation of three turns, for one of which the planner asks the searcher:", flush=True)
    try:
        hold(children.planner.url, conversation_id, QUESTIONS)
        page = wait_until_visible(analytics_url, conversation_id)
        wait_for_agent(page, "searcher")
    except DemoError as error:
        for child in children.all:
            child.check()  # a dead child explains more than the step that missed it
        printed = "\n".join(f"{child.name}:{child.last_lines()}" for child in children.all)
        raise DemoError(f"{error}\n{printed}") from error
    print(f"It is in Agent Analytics, in one session:\n  {page}", flush=True)


def hold(planner_url: str, conversation_id: str, questions: tuple[str, ...]) -> None:
    """Ask the planner, as one person in one conversation."""
    about = {"headers": {"X-Conversation-Id": conversation_id}, "cookies": {"demo_user": "ada"}}
    with httpx2.Client(base_url=planner_url, trust_env=False, timeout=TURN_SECONDS, **about) as browser:  # type: ignore[arg-type] # both are what it takes
        for number, question in enumerate(questions, 1):
            print(f"  {number}. {question}", flush=True)
            try:
                browser.post("/questions", json={"text": question}).raise_for_status()
            except httpx2.HTTPError as error:
                raise DemoError(f"The planner failed during the scripted conversation: {error}.") from error


def wait_for_agent(page: str, agent_id: str) -> None:
    """Return once the session's page names an agent."""
    deadline = time.monotonic() + VISIBLE_SECONDS
    with httpx2.Client(trust_env=False, timeout=5) as reader:
        while time.monotonic() < deadline:
            if agent_id in reader.get(f"{page}?tab=turns").text:
                return
            time.sleep(0.1)
    raise DemoError(f"After {VISIBLE_SECONDS:.0f} s nothing of {agent_id} is to be seen at {page}.")


if __name__ == "__main__":
    sys.exit(main())
