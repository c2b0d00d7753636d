"""``amplitude-ai spool``: look at events that wait or are dead, send them again, delete them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..exceptions import AmplitudeAIError, ConfigurationError

if TYPE_CHECKING:
    from . import Commands

_PATIENCE: Final = 10.0  # seconds
_DELIVERING: Final = 5.0  # seconds


def add_to(commands: Commands) -> None:
    """Add the command and its subcommands."""
    parser = commands.add_parser(
        "spool",
        help="look at events that wait on disk, send them, delete them",
        description="Events wait on disk until they are delivered; those that Amplitude refused for good are "
        "kept there as dead letters. Exit status 1: something is left.",
    )
    parser.set_defaults(run=_run, help=parser.print_help)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    _add_list(actions)
    _add_show(actions)
    _add_replay(actions)
    _add_purge(actions)
    _add_forget(actions)


def _add(actions: Commands, name: str, words: str, more: str = "") -> Any:
    parser = actions.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.{more}")
    parser.add_argument("--spool", metavar="DIR", help="folder of the spool (default: AMPLITUDE_AI_SPOOL)")
    return parser


def _add_list(actions: Commands) -> None:
    parser = _add(actions, "list", "count what waits and what is dead, for each destination")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def _add_show(actions: Commands) -> None:
    for name, words in (("show", "print events as JSON lines"), ("export", "write events to a new file")):
        parser = _add(actions, name, words, " Both waiting and dead ones, unless you say which.")
        _add_choice(parser)
        if name == "export":
            parser.add_argument("file", type=Path, help="file to make, which only you can read")
        else:
            parser.set_defaults(file=None)


def _add_replay(actions: Commands) -> None:
    words = "send what ended processes have left"
    more = (
        " To the destination of this environment: AMPLITUDE_AI_API_KEY, AMPLITUDE_AI_SERVER_URL and "
        "AMPLITUDE_AI_SERVER_ZONE. Insert ids stay the same, so what arrived before counts once."
    )
    parser = _add(actions, "replay", words, more)
    parser.add_argument("--dead", action="store_true", help="put dead letters back and send them too")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=_PATIENCE,
        metavar="SECONDS",
        help="give up when nothing arrives for so long (default: %(default)g)",
    )


def _add_purge(actions: Commands) -> None:
    words = "delete waiting events and dead letters, after asking"
    parser = _add(actions, "purge", words, " Files that running processes hold are left alone.")
    _add_choice(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")


def _add_forget(actions: Commands) -> None:
    words = "delete all events of a user or a device"
    more = (
        " Those whose user_id (or device_id) it is, of all destinations; events of others that mention the "
        "id in their text stay. Files that running processes hold cannot be changed: they are waited for."
    )
    parser = _add(actions, "forget", words, more)
    parser.add_argument("id", metavar="USER", help="a user id, as it stands in the events")
    parser.add_argument("--device", action="store_true", help="it is a device id")
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=_DELIVERING,
        metavar="SECONDS",
        help="wait so long for running processes to deliver theirs (default: %(default)g)",
    )


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--waiting", action="store_true", help="only events that wait")
    parser.add_argument("--dead", action="store_true", help="only dead letters")
    parser.add_argument("--destination", metavar="NAME", help="only this one; the first letters are enough")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; give seconds, such as 30")
    return seconds


def _run(given: argparse.Namespace) -> int:
    if given.action is None:
        given.help()
        return 0
    from . import spool_actions

    try:
        return spool_actions.ACTIONS[given.action](given)
    except BrokenPipeError:
        raise
    except PermissionError as error:
        raise ConfigurationError(
            f"You may not open {error.filename}; run this as the user whose processes made it."
        ) from None
    except OSError as error:
        raise AmplitudeAIError(f"{error.strerror or error}: {error.filename or 'the spool'}") from None
