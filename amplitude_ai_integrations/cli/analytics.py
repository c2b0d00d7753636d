"""``amplitude-ai analytics``: look at sessions on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

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
    parser.add_argument(
        "--forward",
        nargs="?",
        const=True,
        type=_url,
        metavar="URL",
        help="send new events on to Amplitude, or to URL; the project is that of AMPLITUDE_AI_API_KEY",
    )
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    try:
        from ..analytics.pages import routes as _needed_later  # noqa: F401 - what is missing is said before it starts
        from ..analytics.serve import serve
        from ..analytics.target import target_of
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise AmplitudeAIError(
            f"Agent Analytics needs the package {package}: pip install '{DISTRIBUTION}[analytics]'"
        ) from error
    url = None if given.forward is True else given.forward
    target = target_of(url) if given.forward is not None else None

    def say_where(url: str) -> None:
        lines = [
            f"Agent Analytics: {url}",
            *([f"Forwards new events to {target.words}."] if target is not None else ()),
            f"Send events to it: export AMPLITUDE_AI_SERVER_URL={url}",
            "Ctrl-C stops it.",
        ]
        print(*lines, sep="\n", flush=True)

    serve(host=given.host, port=given.port, database=given.db, ready=say_where, target=target)
    return 0


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535")
    return port


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url:
        raise argparse.ArgumentTypeError(f"{text!r} is no URL; give one such as https://api2.amplitude.com")
    return text
