"""The demo of an example: Agent Analytics, a model and an application side by side, and a conversation."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from example_apps.fastapi_chat import demo
from example_apps.fastapi_chat.processes import ENDS, Child, DemoError, choose_port, signals_held
from example_apps.fastapi_chat.scripted_conversation import TURN_SECONDS, VISIBLE_SECONDS, count_turns

APPLICATION_PORT = 8000


class Example(NamedTuple):
    """What a demo needs to know: the module that serves a port, and the conversation to hold with it.

    ``hold`` gets a browser that keeps cookies, and returns the conversation's id.
    """

    name: str
    module: Callable[[int], Sequence[str]]
    hold: Callable[[httpx2.Client], str]
    turns: int


def run(example: Example) -> int:
    """Run the demo of an example and return its exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m example_apps.{example.name}.demo")
    parser.add_argument("--once", action="store_true", help="exit when the conversation is visible")
    options = parser.parse_args()
    for number in ENDS:
        if number != signal.SIGINT:  # which Python makes a KeyboardInterrupt
            signal.signal(number, lambda ending, _: sys.exit(128 + ending))
    try:
        with tempfile.TemporaryDirectory(prefix=f"{example.name}-") as folder, ExitStack() as running:
            children = start(example, running, Path(folder), is_once=options.once)
            show(example, children)
            if not options.once:
                demo.stay(children)
    except DemoError as error:
        print(f"{example.name}: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def start(example: Example, running: ExitStack, folder: Path, *, is_once: bool) -> demo.Children:
    """Start everything side by side and return when each answers."""
    if os.environ.get("AMPLITUDE_TRACKING_DISABLED", "").lower() in ("1", "true", "yes", "on"):
        raise DemoError("AMPLITUDE_TRACKING_DISABLED is set, so nothing would arrive. Unset it.")
    with signals_held():
        analytics = running.enter_context(demo.analytics_server(folder, is_once=is_once))
        model = None
        if not os.environ.get("OPENAI_API_KEY"):
            print("No OPENAI_API_KEY, so a scripted model answers.", flush=True)
            model = running.enter_context(demo.scripted_model_server(folder))
        application = running.enter_context(_application(example, folder, analytics, model))
    children = demo.Children(analytics, application, model)
    for child in children.all:
        child.wait_until_it_answers()
    return children


def show(example: Example, children: demo.Children) -> None:
    """Hold the conversation, see it arrive, and print where to look."""
    print(f"One conversation of {example.turns} turns:", flush=True)
    try:
        page = _hold(example, children)
    except DemoError as error:
        for child in children.all:
            child.check()  # a dead child explains more than the step that missed it
        printed = "\n".join(f"{child.name}:{child.last_lines()}" for child in children.all)
        raise DemoError(f"{error}\n{printed}") from error
    print(
        f"It is in Agent Analytics:\n  Application      {children.chat.url}\n  Agent Analytics  {page}",
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


def _application(example: Example, folder: Path, analytics: Child, model: Child | None) -> Child:
    settings = {"AMPLITUDE_AI_SERVER_URL": analytics.url}
    if model:
        settings |= {"OPENAI_API_KEY": "scripted", "OPENAI_BASE_URL": f"{model.url}/v1"}
    port = choose_port(APPLICATION_PORT, "the application")
    return Child("The application", *example.module(port), **demo._place(folder, port, **settings))


def _hold(example: Example, children: demo.Children) -> str:
    try:
        with httpx2.Client(base_url=children.chat.url, trust_env=False, timeout=TURN_SECONDS) as browser:
            conversation_id = example.hold(browser)
    except httpx2.HTTPError as error:
        raise DemoError(f"The application failed during the conversation: {error}.") from error
    page = f"{children.analytics.url}/sessions/{conversation_id}"
    deadline = time.monotonic() + VISIBLE_SECONDS
    with httpx2.Client(trust_env=False, timeout=5) as reader:
        while (turns := count_turns(reader.get(f"{page}?tab=turns").text)) != example.turns:
            if time.monotonic() > deadline:
                raise DemoError(f"{page}?tab=turns shows {turns} of {example.turns} turns.")
            time.sleep(0.1)
    return page
