"""``amplitude-ai status``: what is installed and configured, and where events would go."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import Commands


def add_to(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "status",
        help="show what is installed and configured, and where events would go",
        description="Show what is installed and configured in this environment, and where events would go. "
        "Exit status 1: the settings are refused.",
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    from ..diagnostics.status import refusal, status_of, status_text

    print(json.dumps(status_of(), indent=2) if given.json else status_text())
    return int(refusal() is not None)
