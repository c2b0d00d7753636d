"""``amplitude-ai doctor``: find out why there is no event."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import ConfigurationError
from .terminal import can_show_more_than_ascii, wants_color

if TYPE_CHECKING:
    from ..diagnostics import Finding
    from . import Commands


def add_to(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "doctor",
        help="check the environment, the installation, your project, and delivery",
        description="Find out whether events would be made and would arrive. Reads your project's code "
        "without running it, and reaches no other machine. Exit status 1: there is a problem.",
    )
    parser.add_argument(
        "path", type=Path, nargs="?", default=Path(), help="folder of your project (default: this one)"
    )
    parser.add_argument(
        "--no-mock-check", action="store_true", help="make and deliver no event on this machine"
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    from ..diagnostics import examine
    from ..diagnostics.doctor import has_problem
    from ..diagnostics.text import lines
    from ..patching.trying import unobservable

    _check(given.path)
    findings = examine(given.path, live=not given.no_mock_check, vendors=unobservable)
    if given.json:
        found = list(findings)
        print(json.dumps({"findings": [finding._asdict() for finding in found]}, indent=2))
        return int(has_problem(found))
    seen: list[Finding] = []
    for line in lines(
        _noting(findings, seen), ascii_only=not can_show_more_than_ascii(), color=wants_color()
    ):
        print(line, flush=True)
    return int(has_problem(seen))


def _check(path: Path) -> None:
    """Refuse what cannot be looked at.

    Raises:
        ConfigurationError: It is not there, or may not be read.
    """
    try:
        path.stat()
    except FileNotFoundError:
        raise ConfigurationError(f"There is no {path}; name the folder of your project.") from None
    except OSError as error:
        raise ConfigurationError(f"{error.strerror}: {path}; name the folder of your project.") from None


def _noting(findings: Iterable[Finding], seen: list[Finding]) -> Iterator[Finding]:
    for finding in findings:
        seen.append(finding)
        yield finding
