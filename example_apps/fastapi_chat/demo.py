"""``make demo``: Agent Analytics, a model server and the chat app, with one conversation to look at."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, Protocol
from uuid import uuid4

from example_apps.fastapi_chat import scripted_conversation
from example_apps.fastapi_chat.processes import ENDS, Child, DemoError, choose_port, signals_held

ANALYTICS_PORT = 8320
CHAT_PORT = 8000
LOOPBACK = "127.0.0.1"
UVICORN = ("--host", LOOPBACK, "--log-level", "warning")


def main() -> int:
    """Run the demo and return its exit code."""
    options = _options()
    for number in ENDS:
        if number != signal.SIGINT:  # which Python makes a KeyboardInterrupt
            signal.signal(number, _end)
    try:
        with tempfile.TemporaryDirectory(prefix="travel-guide-") as folder, ExitStack() as running:
            children = start(running, Path(folder), is_once=options.once)
            show_one_conversation(children)
            if not options.once:
                stay(children)
    except DemoError as error:
        print(f"make demo: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


class Watched(Protocol):
    """Whatever has children."""

    @property
    def all(self) -> list[Child]:
        """Those that are there."""


class Children(NamedTuple):
    """What runs; the scripted model only where no key for a real one is set."""

    analytics: Child
    chat: Child
    model: Child | None

    @property
    def all(self) -> list[Child]:
        """Those that are there."""
        return [child for child in self if child]


def start(running: ExitStack, folder: Path, *, is_once: bool) -> Children:
    """Start everything side by side and return when each answers."""
    if os.environ.get("AMPLITUDE_TRACKING_DISABLED", "").lower() in ("1", "true", "yes", "on"):
        raise DemoError(
            "AMPLITUDE_TRACKING_DISABLED is set, so nothing would arrive. Unset it and try again."
        )
    with signals_held():
        analytics = running.enter_context(analytics_server(folder, is_once=is_once))
        model = None
        if not os.environ.get("OPENAI_API_KEY"):
            print("No OPENAI_API_KEY, so a scripted model answers.", flush=True)
            model = running.enter_context(scripted_model_server(folder))
        chat = running.enter_context(chat_server(folder, analytics, model))
    children = Children(analytics, chat, model)
    for child in children.all:
        child.wait_until_it_answers()
    return children


def analytics_server(folder: Path, *, is_once: bool) -> Child:
    """Agent Analytics, on a database of its own where nobody stays to look."""
    port = choose_port(ANALYTICS_PORT, "Agent Analytics")
    command = ["amplitude_ai_integrations", "analytics", "--port", str(port)]
    if is_once:
        command += ["--db", str(folder / "analytics.db")]
    return Child("Agent Analytics", *command, **place(folder, port))


def scripted_model_server(folder: Path) -> Child:
    """The model server that needs no account."""
    port = choose_port(0, "the scripted model")
    command = ("uvicorn", "example_apps.fastapi_chat.scripted_model:app", "--port", str(port), *UVICORN)
    return Child("The scripted model", *command, **place(folder, port))


def chat_server(folder: Path, analytics: Child, model: Child | None) -> Child:
    """The chat app, told by its environment where its events and its questions go."""
    settings = {"AMPLITUDE_AI_SERVER_URL": analytics.url}
    if model:
        settings |= {"OPENAI_API_KEY": "scripted", "OPENAI_BASE_URL": f"{model.url}/v1"}
    port = choose_port(CHAT_PORT, "the chat app")
    command = ("uvicorn", "example_apps.fastapi_chat.app:app", "--port", str(port), *UVICORN)
    return Child("The chat app", *command, **place(folder, port, **settings))


def show_one_conversation(children: Children) -> None:
    """Hold the scripted conversation, see it arrive, and print where to look."""
    conversation_id = f"demo-{uuid4().hex[:8]}"
    print("One conversation of three turns:", flush=True)
    try:
        scripted_conversation.hold(children.chat.url, conversation_id)
        page = scripted_conversation.wait_until_visible(children.analytics.url, conversation_id)
    except DemoError as error:
        for child in children.all:
            child.check()  # a dead child explains more than the step that missed it
        printed = "\n".join(f"{child.name}:{child.last_lines()}" for child in children.all)
        raise DemoError(f"{error}\n{printed}") from error
    print(
        f"It is in Agent Analytics:\n  Chat             {children.chat.url}\n  Agent Analytics  {page}",
        flush=True,
    )


def stay(children: Watched) -> None:
    """Watch the children until Ctrl-C."""
    print("Ctrl-C stops everything.", flush=True)
    try:
        while True:
            time.sleep(0.5)
            for child in children.all:
                child.check()
    except KeyboardInterrupt:
        print("\nStopped.", flush=True)


def place(folder: Path, port: int, **settings: str) -> dict[str, Any]:
    """Return where a child runs: its address, its environment, its log."""
    # What is chatted here stays here, whatever this terminal is set up for otherwise: no key to a project,
    # no mode without text, and no proxy between two processes of one machine.
    env = {name: value for name, value in os.environ.items() if not name.startswith("AMPLITUDE_AI_")}
    around = f"{os.environ.get('NO_PROXY', '')},{LOOPBACK}".strip(",")
    env |= {"NO_PROXY": around, "no_proxy": around, **settings}
    return {"url": f"http://{LOOPBACK}:{port}", "env": env, "log": folder / f"{port}.log"}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="exit when the conversation is visible")
    return parser.parse_args()


def _end(signal_number: int, _: object) -> NoReturn:
    sys.exit(128 + signal_number)


if __name__ == "__main__":
    sys.exit(main())
