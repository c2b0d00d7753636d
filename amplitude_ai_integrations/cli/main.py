"""The command ``amplitude-ai`` and its subcommands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..exceptions import AmplitudeAIError
from ..registry import DISTRIBUTION
from ..version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status: 0, or 2 with one sentence on stderr."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command is None:
        parser.print_help()
        return 0
    try:
        return int(given.run(given))
    except AmplitudeAIError as error:
        print(f"amplitude-ai: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="amplitude-ai", description="Agent analytics for Python.")
    parser.add_argument("--version", action="version", version=f"{DISTRIBUTION} {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    analytics = commands.add_parser(
        "analytics",
        help="look at sessions on this machine, without an account",
        description="Receive [Agent] events on this machine and show them as sessions in the browser.",
    )
    analytics.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    analytics.add_argument(
        "--port", type=_port, default=8320, help="port to listen on (default: %(default)s)"
    )
    analytics.add_argument(
        "--db", type=Path, help="file to keep events in (default: in your user data folder)"
    )
    analytics.set_defaults(run=_analytics)
    return parser


def _analytics(given: argparse.Namespace) -> int:
    try:
        from ..analytics.serve import serve
    except ModuleNotFoundError as error:
        raise AmplitudeAIError(
            f"Agent Analytics needs the package {error.name}: pip install '{DISTRIBUTION}[analytics]'"
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
