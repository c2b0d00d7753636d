"""``amplitude-ai instrument``: run a program with its model clients observed, without a change in it."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..config import ENVIRONMENT_PREFIX, AIConfig
from ..exceptions import ConfigurationError

if TYPE_CHECKING:
    from . import Commands

_AUTO_PATCH: Final = ENVIRONMENT_PREFIX + "AUTO_PATCH"
_KEY: Final = ENVIRONMENT_PREFIX + "API_KEY"
_ON: Final = ("1", "on", "true", "yes")
_OFF: Final = ("", "0", "false", "no", "off")
_FOLDER: Final = Path(__file__).parent / "bootstrap"
_HELP: Final = (["-h"], ["--help"])


def add_to(commands: Commands) -> None:
    """Add the command; all that follows it is the program's."""
    parser = commands.add_parser(
        "instrument",
        help="run a program with its model calls observed",
        usage="amplitude-ai-instrument COMMAND [ARGUMENT ...]",
        description="Run a command (python app.py, python -m module, gunicorn, uvicorn, flask run ...)"
        f" so that all model calls of it and of its child processes become events, if {_AUTO_PATCH}=true."
        " Everything else is in the environment: AMPLITUDE_AI_API_KEY, AMPLITUDE_AI_CONTENT_MODE, "
        "AMPLITUDE_AI_DEBUG and the like.",
        prefix_chars="\0",  # no option is ours
        add_help=False,
    )
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    parser.set_defaults(run=partial(_run, parser))


def _run(parser: argparse.ArgumentParser, given: argparse.Namespace) -> int:
    words = given.words[1:] if given.words[:1] == ["--"] else given.words
    if words in _HELP:
        parser.print_help()
        return 0
    command = _command(words)
    environment = _observing(os.environ) if _is_on() else dict(os.environ)
    return _become(command, environment)


def _command(words: Sequence[str]) -> list[str]:
    """Return a command line whose program is there.

    Raises:
        ConfigurationError: There is none, or it cannot be run.
    """
    if not words:
        raise ConfigurationError("Say what to run, as in: amplitude-ai-instrument python app.py")
    if words[0] == "-m":
        return [sys.executable, *words]
    if shutil.which(words[0]) is None:
        hint = f"; did you mean: python {' '.join(words)}?" if words[0].endswith(".py") else "."
        raise ConfigurationError(f"{words[0]} is no program that can be run here{hint}")
    return list(words)


def _is_on() -> bool:
    """Tell whether calls are to be observed.

    Raises:
        ConfigurationError: They are, and the environment does not say where to send events, or says something
            else that cannot be.
    """
    said = os.environ.get(_AUTO_PATCH, "").strip().lower()
    if said not in (*_ON, *_OFF):
        raise ConfigurationError(f"{_AUTO_PATCH} is {os.environ[_AUTO_PATCH]!r}; use 'true' or 'false'.")
    if said in _OFF:
        return False
    config = AIConfig()
    is_sending = config.enabled and not (config.dry_run or config.review_mode)
    if is_sending and not (os.environ.get(_KEY) or config.server_url):
        raise ConfigurationError(
            f"{_KEY} is not set, so there is nowhere to send events; set it, or AMPLITUDE_AI_SERVER_URL to "
            "a local `amplitude-ai analytics`."
        )
    return config.enabled


def _observing(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which every Python finds our ``sitecustomize`` first."""
    paths = [str(_FOLDER), environment.get("PYTHONPATH", "")]
    return {**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def _become(command: list[str], environment: Mapping[str, str]) -> int:
    """Run a command in the place of this process, so that signals and the exit status are its own."""
    if os.name == "nt":  # where there is no such thing
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603
    for name in ("SIGPIPE", "SIGXFSZ"):  # which Python ignores, and others do not expect to be ignored
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 - it is what this command is for
    except OSError as error:
        raise ConfigurationError(f"{command[0]} cannot be run: {error.strerror}.") from None
