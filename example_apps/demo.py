"""One of the programs of this folder, and Agent Analytics to look at what it did.

`python -m example_apps.demo NAME`; where a program reads OPENAI_API_KEY and there is none, a scripted model
answers.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import httpx2

from example_apps.fastapi_chat import demo
from example_apps.fastapi_chat.processes import ENDS, Child, DemoError, signals_held
from example_apps.fastapi_chat.scripted_conversation import VISIBLE_SECONDS

PROGRAMS = {path.stem: path for path in sorted(Path(__file__).parent.glob("*_example.py"))}

CLIENTS = {"mcp_server_example": "mcp_client"}  # a server is started by what calls it

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")  # a program says which it reads


class Running(NamedTuple):
    """What runs beside the program."""

    all: list[Child]


def main() -> int:
    """Run one program, say where its session is, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m example_apps.demo", description=__doc__)
    parser.add_argument("name", choices=PROGRAMS)
    parser.add_argument("--once", action="store_true", help="exit when the session is visible")
    options = parser.parse_args()
    for number in ENDS:
        if number != signal.SIGINT:  # which Python makes a KeyboardInterrupt
            signal.signal(number, lambda ending, _: sys.exit(128 + ending))
    try:
        with tempfile.TemporaryDirectory(prefix=f"{options.name}-") as folder, ExitStack() as stack:
            children, settings = start(stack, options.name, Path(folder), is_once=options.once)
            print(f"It is in Agent Analytics:\n  {show(options.name, children[0], settings)}", flush=True)
            if not options.once:
                demo.stay(Running(children))
    except DemoError as error:
        print(f"{options.name}: {error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def start(stack: ExitStack, name: str, folder: Path, *, is_once: bool) -> tuple[list[Child], dict[str, str]]:
    """Start Agent Analytics and, where it is needed, a model; return them, and a program's environment."""
    missing = [key for key in KEYS if key in PROGRAMS[name].read_text() and not os.environ.get(key)]
    if "ANTHROPIC_API_KEY" in missing:
        raise DemoError("it needs a key in ANTHROPIC_API_KEY: the scripted model stands in for OpenAI only.")
    with signals_held():
        children = [stack.enter_context(demo.analytics_server(folder, is_once=is_once))]
        settings = {"AMPLITUDE_AI_SERVER_URL": children[0].url}
        if "OPENAI_API_KEY" in missing:
            print("No OPENAI_API_KEY, so a scripted model answers.", flush=True)
            children.append(stack.enter_context(demo.scripted_model_server(folder)))
            settings |= {"OPENAI_API_KEY": "scripted", "OPENAI_BASE_URL": f"{children[1].url}/v1"}
    for child in children:
        child.wait_until_it_answers()
    return children, demo.place(folder, 0, **settings)["env"]


def show(name: str, analytics: Child, env: dict[str, str]) -> str:
    """Run a program to its end, and return the page of the session that it made."""
    before = set(_sessions(analytics))
    command = [sys.executable, "-m", f"example_apps.{CLIENTS.get(name, name)}"]
    code = subprocess.run(command, env=env, check=False).returncode
    if code:
        raise DemoError(f"it ended with exit code {code}.")
    deadline = time.monotonic() + VISIBLE_SECONDS
    while time.monotonic() < deadline:
        for session in _sessions(analytics):
            if session not in before:
                return f"{analytics.url}/sessions/{session}"
        time.sleep(0.1)
    raise DemoError(f"it ended, and {analytics.url} shows no session of it.")


def _sessions(analytics: Child) -> Iterable[str]:
    html = httpx2.get(f"{analytics.url}/sessions", trust_env=False, timeout=5).text
    return re.findall(r'href="/sessions/([\w-]+)"', html)


if __name__ == "__main__":
    sys.exit(main())
