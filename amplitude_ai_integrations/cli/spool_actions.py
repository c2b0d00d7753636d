"""What the subcommands of ``amplitude-ai spool`` do."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

from ..config import AIConfig
from ..delivery.outbox.forgetting import forget
from ..delivery.outbox.keeping import Destination, destinations
from ..delivery.outbox.people import Person
from ..delivery.outbox.place import destination_name, spool_folder
from ..delivery.outbox.replaying import replay
from ..delivery.outbox.transport import endpoints
from ..delivery.own import LOCAL_KEY
from ..exceptions import ConfigurationError, logger
from .spool_words import clean, count, listed, replayed, summed, unknown_files

_KEY: Final = "AMPLITUDE_AI_API_KEY"
_OWNER_ONLY: Final = 0o600


def _list(given: argparse.Namespace) -> int:
    spool, config, places = _open(given)
    this = _this(config)
    found = [summed(place, this) for place in places]
    if given.json:
        print(json.dumps({"spool": str(spool), "destinations": found}, indent=2))
        return 0
    print(f"Spool: {spool}")
    for one in found:
        print("\n".join(listed(one)))
    if not found:
        print("Nothing waits, and nothing is dead.")
    return 0


def _show(given: argparse.Namespace) -> int:
    _spool, _config, places = _open(given)
    chosen = _chosen(places, given.destination)
    if given.file is None:
        _write(chosen, given, sys.stdout)
        return 0
    with _created(given.file) as file:
        events = _write(chosen, given, file)
    print(f"{count(events, 'event')} in {given.file}.")
    return 0


def _replay(given: argparse.Namespace) -> int:
    _spool, config, places = _open(given)
    this = _this(config)
    if this is None:
        raise ConfigurationError(
            f"Nothing says where to send them: set {_KEY} to the key they were made with, or "
            "AMPLITUDE_AI_SERVER_URL to a server of yours."
        )
    if not config.enabled or config.dry_run or config.review_mode:
        raise ConfigurationError(
            "This environment sends nothing: unset AMPLITUDE_TRACKING_DISABLED, AMPLITUDE_AI_ENABLED, "
            "AMPLITUDE_AI_DRY_RUN and AMPLITUDE_AI_REVIEW_MODE."
        )
    place = next((place for place in places if place.name == this), None)
    if place is None:
        others = f" {count(len(places), 'other destination')} there." if places else ""
        print(f"Nothing is left for this environment's key and server.{others}")
        return 0
    key = os.environ.get(_KEY) or LOCAL_KEY
    done = replay(place, key, config, dead=given.dead, patience=given.timeout)
    print("\n".join(replayed(done)))
    return int(bool(done.left or done.refused or done.unknown))


def _purge(given: argparse.Namespace) -> int:
    _spool, _config, places = _open(given)
    chosen = _chosen(places, given.destination)
    waiting, dead = _kinds(given)
    found = [place.summary() for place in chosen]
    events = sum(it.events - it.held_events for it in found) if waiting else 0
    letters = sum(it.dead.total() for it in found) if dead else 0
    what = f"{count(events, 'waiting event')} and {count(letters, 'dead letter')}"
    if (events or letters) and not given.yes and not _agreed(f"Delete {what}, undelivered? [y/N] "):
        print("Nothing was deleted.")
        return 1
    events = letters = held = unknown = 0
    for place in chosen:
        if waiting:
            purged = place.purge_waiting()
            events, held, unknown = events + purged.deleted, held + purged.held, unknown + purged.unknown
        if dead:
            letters += place.purge_dead()
    print(f"Deleted {count(events, 'waiting event')} and {count(letters, 'dead letter')}.")
    if held:
        print(f"{count(held, 'event')} in files of running processes were left alone.")
    if unknown:
        print(unknown_files(unknown))
    return int(bool(held or unknown))


def _forget(given: argparse.Namespace) -> int:
    if not given.id:
        raise ConfigurationError("The id is empty; name a user, or a device with --device.")
    _spool, _config, places = _open(given)
    done = forget(places, Person(given.id, given.device), given.timeout)
    print(f"Deleted {count(done.waiting, 'waiting event')} and {count(done.dead, 'dead letter')}.")
    if done.held:
        print(
            f"{count(done.held, 'event')} of theirs remain in files of running processes; "
            "run this again when they are delivered, or their processes have ended."
        )
    if done.unknown:
        print(unknown_files(done.unknown))
    return int(bool(done.held or done.unknown))


def _open(given: argparse.Namespace) -> tuple[Path, AIConfig, list[Destination]]:
    """Return the spool's folder, the settings, and the destinations.

    Raises:
        ConfigurationError: There is no such folder, or it is none.
    """
    logger.addHandler(logging.NullHandler())  # what happens is told in the end
    config = AIConfig(spool=given.spool) if given.spool else AIConfig()
    try:
        spool = spool_folder(config.spool)
    except RuntimeError:
        raise ConfigurationError("There is no home folder; name the spool with --spool.") from None
    if spool is None:
        raise ConfigurationError(
            "Events wait in memory only, the spool is 'off'; name a folder with --spool."
        )
    if given.spool and not spool.exists():
        raise ConfigurationError(f"There is no {spool}; name the folder that AMPLITUDE_AI_SPOOL names.")
    return spool, config, destinations(spool)


def _this(config: AIConfig) -> str | None:
    """Return the name of this environment's destination."""
    key = os.environ.get(_KEY)
    if not key and not config.server_url:
        return None
    return destination_name(key or LOCAL_KEY, endpoints(config)[0])


def _chosen(places: Sequence[Destination], begin: str | None) -> Sequence[Destination]:
    if begin is None:
        return places
    found = [place for place in places if place.name.startswith(begin)]
    if len(found) != 1:
        raise ConfigurationError(
            f"{count(len(found), 'destination')} begin with {begin!r}; `amplitude-ai spool list` names them."
        )
    return found


def _kinds(given: argparse.Namespace) -> tuple[bool, bool]:
    is_any = not given.waiting and not given.dead
    return given.waiting or is_any, given.dead or is_any


def _write(places: Sequence[Destination], given: argparse.Namespace, file: TextIO) -> int:
    waiting, dead = _kinds(given)
    events = 0
    for place in places:
        for line in _events(place, waiting=waiting, dead=dead):
            file.write(json.dumps(line) + "\n")
            events += 1
    return events


def _events(place: Destination, *, waiting: bool, dead: bool) -> Iterator[dict[str, Any]]:
    about = {"destination": place.name}
    if waiting:
        for payload in place.waiting():
            yield {**about, "state": "waiting", "event": json.loads(payload)}
    if dead:
        for letter in place.dead():
            yield {**about, "state": "dead", **letter._asdict(), "reason": clean(letter.reason)}


@contextmanager
def _created(path: Path) -> Iterator[TextIO]:
    """Make a file that only its owner can read; it is gone again where not all of it could be written."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError:
        raise ConfigurationError(f"{path} is there already; name a file that is not.") from None
    try:
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        print()
        raise ConfigurationError("Nobody is there to be asked; add --yes.") from None


ACTIONS: Final[Mapping[str, Callable[[argparse.Namespace], int]]] = {
    "list": _list,
    "show": _show,
    "export": _show,
    "replay": _replay,
    "purge": _purge,
    "forget": _forget,
}
