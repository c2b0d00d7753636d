"""The demo of an example: Agent Analytics, a model and its services side by side, and a conversation."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from example_apps.fastapi_chat import demo
from example_apps.fastapi_chat.processes import ENDS, Child, DemoError, choose_port, signals_held
from example_apps.fastapi_chat.scripted_conversation import TURN_SECONDS, VISIBLE_SECONDS, count_turns

APPLICATION_PORT = 8000


class Service(NamedTuple):
    """One process of an example; ``tells`` names the setting by which later ones learn its address."""

    name: str
    command: Callable[[int], Sequence[str]]
    tells: str | None = None
    is_server: bool = True


class Example(NamedTuple):
    """What a demo needs to know: its processes, the visited one last, and the conversation to hold with that.

    ``hold`` gets a browser that keeps cookies, and returns the conversation's id. ``prepare`` makes what is
    to be in the demo's folder, and returns settings for every process. ``agents`` are those that the
    session's page is to name.
    """

    name: str
    services: Sequence[Service]
    hold: Callable[[httpx2.Client], str]
    turns: int
    agents: Sequence[str] = ()
    prepare: Callable[[Path], Mapping[str, str]] = lambda _: {}


class Running(NamedTuple):
    """What runs, the visited process last."""

    children: Sequence[Child]

    @property
    def front(self) -> Child:
        """The process that is visited."""
        return self.children[-1]

    @property
    def all(self) -> list[Child]:
        """Every process."""
        return [*self.children]


def run(example: Example) -> int:
    """Run the demo of an example and return its exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m example_apps.{example.name}.demo")
    parser.add_argument("--once", action="store_true", help="exit when the conversation is visible")
    options = parser.parse_args()
    for number in ENDS:
        if number != signal.SIGINT:  # which Python makes a KeyboardInterrupt
            signal.signal(number, lambda ending, _: sys.exit(128 + ending))
    try:
        with tempfile.TemporaryDirectory(prefix=f"{example.name}-") as folder, ExitStack() as stack:
            analytics, running = _start_all(example, stack, Path(folder), is_once=options.once)
            show(example, analytics, running)
            if not options.once:
                demo.stay(Running([analytics, *running.children]))
    except DemoError as error:
        print(f"{example.name}: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def start(example: Example, stack: ExitStack, folder: Path, settings: Mapping[str, str]) -> Running:
    """Start the processes of an example, and return when each answers."""
    known = {**settings, **example.prepare(folder)}
    children = []
    with signals_held():
        for place, service in enumerate(example.services, 1):
            is_front = place == len(example.services)
            port = choose_port(APPLICATION_PORT if is_front else 0, service.name)
            child = Child(service.name, *service.command(port), **demo.place(folder, port, **known))
            children.append(stack.enter_context(child))
            if service.tells:
                known[service.tells] = child.url
    for child, service in zip(children, example.services, strict=True):
        if service.is_server:
            child.wait_until_it_answers()
    return Running(children)


def show(example: Example, analytics: Child, running: Running) -> None:
    """Hold the conversation, see it arrive, and print where to look."""
    print(f"One conversation of {example.turns} turns:", flush=True)
    try:
        conversation_id = _hold(example, running.front)
        page = f"{analytics.url}/sessions/{conversation_id}"
        _wait_until_visible(example, page)
    except DemoError as error:
        children = [analytics, *running.children]
        for child in children:
            child.check()  # a dead child explains more than the step that missed it
        printed = "\n".join(f"{child.name}:{child.last_lines()}" for child in children)
        raise DemoError(f"{error}\n{printed}") from error
    print(
        f"It is in Agent Analytics:\n  Application      {running.front.url}\n  Agent Analytics  {page}",
        flush=True,
    )


def ask(browser: httpx2.Client, path: str, question: str, **options: Any) -> httpx2.Response:
    """Post a question, read the answer to its end, and return the response."""
    print(f"  {question}", flush=True)
    with browser.stream("POST", path, **options) as response:
        response.raise_for_status()
        if not response.read():
            raise DemoError(f"The answer to {question!r} was empty.")
    return response


def _start_all(example: Example, stack: ExitStack, folder: Path, *, is_once: bool) -> tuple[Child, Running]:
    if os.environ.get("AMPLITUDE_TRACKING_DISABLED", "").lower() in ("1", "true", "yes", "on"):
        raise DemoError("AMPLITUDE_TRACKING_DISABLED is set, so nothing would arrive. Unset it.")
    with signals_held():
        analytics = stack.enter_context(demo.analytics_server(folder, is_once=is_once))
        settings = {"AMPLITUDE_AI_SERVER_URL": analytics.url}
        if not os.environ.get("OPENAI_API_KEY"):
            print("No OPENAI_API_KEY, so a scripted model answers.", flush=True)
            model = stack.enter_context(demo.scripted_model_server(folder))
            settings |= {"OPENAI_API_KEY": "scripted", "OPENAI_BASE_URL": f"{model.url}/v1"}
            model.wait_until_it_answers()
    analytics.wait_until_it_answers()
    return analytics, start(example, stack, folder, settings)


def _hold(example: Example, front: Child) -> str:
    try:
        with httpx2.Client(base_url=front.url, trust_env=False, timeout=TURN_SECONDS) as browser:
            return example.hold(browser)
    except httpx2.HTTPError as error:
        raise DemoError(f"{front.name} failed during the conversation: {error}.") from error


def _wait_until_visible(example: Example, page: str) -> None:
    deadline = time.monotonic() + VISIBLE_SECONDS
    with httpx2.Client(trust_env=False, timeout=5) as reader:
        while True:
            html = reader.get(f"{page}?tab=turns").text
            turns, missing = count_turns(html), [name for name in example.agents if name not in html]
            if turns == example.turns and not missing:
                return
            if time.monotonic() > deadline:
                without = f", and nothing of {', '.join(missing)}" if missing else ""
                raise DemoError(f"{page}?tab=turns shows {turns} of {example.turns} turns{without}.")
            time.sleep(0.1)
