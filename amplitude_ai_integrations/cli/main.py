"""The command ``amplitude-ai`` and its subcommands."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from ..exceptions import AmplitudeAIError
from ..registry import DISTRIBUTION
from ..version import __version__
from . import analytics, doctor, instrument, spool, status

COMMANDS = (analytics, doctor, instrument, spool, status)
_INTERRUPTED = 130  # as a shell says it
_CUT_OFF = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status: 0, or 2 with one sentence on stderr.

    ``doctor`` says with 1 that there is a problem, ``spool`` that something is left, and ``status`` that the
    settings are refused; ``instrument`` becomes another program.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command is None:
        parser.print_help()
        return 0
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what cannot be printed is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    try:
        code = int(given.run(given))
        sys.stdout.flush()
    except AmplitudeAIError as error:
        print(f"amplitude-ai: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on; the end flushes
        return _CUT_OFF
    return code


def doctor_main() -> int:
    """Run ``amplitude-ai-doctor``, which is ``amplitude-ai doctor``."""
    return main(["doctor", *sys.argv[1:]])


def instrument_main() -> int:
    """Run ``amplitude-ai-instrument``, which is ``amplitude-ai instrument``."""
    return main(["instrument", *sys.argv[1:]])


def status_main() -> int:
    """Run ``amplitude-ai-status``, which is ``amplitude-ai status``."""
    return main(["status", *sys.argv[1:]])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="amplitude-ai", description="Agent analytics for Python.")
    parser.add_argument("--version", action="version", version=f"{DISTRIBUTION} {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for command in COMMANDS:
        command.add_to(commands)
    return parser
