"""``python -m example_apps.django_chat.demo``: Agent Analytics, a model server and the chat, to look at."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

from example_apps.django_chat import scripted_conversation
from example_apps.fastapi_chat.demo import (
    CHAT_PORT,
    LOOPBACK,
    Children,
    _end,
    _place,
    analytics_server,
    scripted_model_server,
    stay,
)
from example_apps.fastapi_chat.processes import ENDS, Child, DemoError, choose_port, signals_held
from example_apps.fastapi_chat.scripted_conversation import wait_until_visible

SETTINGS = ("--settings", "example_apps.django_chat.settings")


def main() -> int:
    """Run the demo and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="exit when the conversation is visible")
    options = parser.parse_args()
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
        print(f"The demo failed: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def start(running: ExitStack, folder: Path, *, is_once: bool) -> Children:
    """Start everything and return when each answers."""
    with signals_held():
        analytics = running.enter_context(analytics_server(folder, is_once=is_once))
        model = None
        if not os.environ.get("OPENAI_API_KEY"):
            print("No OPENAI_API_KEY, so a scripted model answers.", flush=True)
            model = running.enter_context(scripted_model_server(folder))
        chat = running.enter_context(chat_server(folder, analytics.url, model.url if model else None))
    children = Children(analytics, chat, model)
    for child in children.all:
        child.wait_until_it_answers()
    return children


def chat_server(folder: Path, analytics_url: str, model_url: str | None) -> Child:
    """The chat app with a database of its own, told where its events and its questions go."""
    settings = {"AMPLITUDE_AI_SERVER_URL": analytics_url, "DATABASE": str(folder / "chat.sqlite3")}
    if model_url:
        settings |= {"OPENAI_API_KEY": "scripted", "OPENAI_BASE_URL": f"{model_url}/v1"}
    port = choose_port(CHAT_PORT, "the chat app")
    place: dict[str, Any] = _place(folder, port, **settings)
    migrate = [sys.executable, "-m", "django", "migrate", "--verbosity", "0", *SETTINGS]
    subprocess.run(migrate, env=place["env"], check=True)
    command = ("django", "runserver", f"{LOOPBACK}:{port}", "--noreload", *SETTINGS)
    return Child("The chat app", *command, **place)


def show_one_conversation(children: Children) -> None:
    """Hold the scripted conversation, see it arrive, and print where to look."""
    conversation_id = f"demo-{uuid4().hex[:8]}"
    print("One conversation of three turns:", flush=True)
    try:
        scripted_conversation.hold(children.chat.url, conversation_id)
        page = wait_until_visible(children.analytics.url, conversation_id)
    except DemoError as error:
        for child in children.all:
            child.check()  # a dead child explains more than the step that missed it
        printed = "\n".join(f"{child.name}:{child.last_lines()}" for child in children.all)
        raise DemoError(f"{error}\n{printed}") from error
    print("It is in Agent Analytics:")
    print(f"  Chat             {children.chat.url} (sign in as demo, with the password demo)")
    print(f"  Agent Analytics  {page}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
