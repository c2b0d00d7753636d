"""``amplitude-ai analytics``: look at sessions on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import AmplitudeAIError
from ..registry import DISTRIBUTION

if TYPE_CHECKING:
    from . import Commands


def add_to(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "analytics",
        help="look at sessions on this machine, without an account",
        description="Receive [Agent] events on this machine and show them as sessions in the browser.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=_port, default=8320, help="port to listen on (default: %(default)s)")
    parser.add_argument("--db", type=Path, help="file to keep events in (default: in your user data folder)")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    try:
        from ..analytics.pages import routes as _needed_later  # noqa: F401 - what is missing is said before it starts
        from ..analytics.serve import serve
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise AmplitudeAIError(
            f"Agent Analytics needs the package {package}: pip install '{DISTRIBUTION}[analytics]'"
        ) from error
    serve(host=given.host, port=given.port, database=given.db, ready=_say_where)
    return 0


def _say_where(url: str) -> None:
    print(
        f"Agent Analytics: {url}\nSend events to it: export AMPLITUDE_AI_SERVER_URL={url}\nCtrl-C stops it.",
        flush=True,
    )


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535")
    return port
