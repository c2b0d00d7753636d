"""``manage.py amplitude_ai``: whether events would be made and arrive, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core import checks
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ....client.client import AmplitudeAI
from ....delivery.flush import FlushResult
from ....diagnostics import Finding, State, examine, report, status_text
from ....exceptions import ConfigurationError
from ... import conf
from ...checks import TAG

_SECONDS: Final = 10.0


class Command(BaseCommand):  # type: ignore[misc]  # Django carries no types
    """Looks at the client that the settings describe."""

    help = (
        "Whether agent analytics works (doctor), how it is set up (status), deliver what waits (flush): in "
        "this process, not in a running server."
    )
    requires_system_checks: Final = ()  # the doctor reports them among the rest

    def add_arguments(self, parser: CommandParser) -> None:
        """Say what the command takes."""
        parser.add_argument("action", choices=["doctor", "status", "flush"])
        parser.add_argument(
            "--timeout", type=float, default=_SECONDS, help="seconds for which flush waits (%(default)s)"
        )

    def handle(self, *_: Any, action: str, timeout: float, **__: Any) -> None:
        """Do what was asked.

        Raises:
            CommandError: An event is not delivered, or something is wrong.
        """
        if action == "doctor":
            self._examine()
            return
        try:
            door = conf.door()
        except ConfigurationError as error:
            raise CommandError(str(error)) from error
        if action == "flush":
            self._flush(door.ai.flush(), timeout)
        else:
            self.stdout.write(status_text(_client()))

    def _examine(self) -> None:
        project = getattr(settings, "BASE_DIR", None)
        findings = list(examine(Path(project) if project else None, more=_findings(), ai=_client()))
        self.stdout.write(report(findings))
        if any(finding.state == "problem" for finding in findings):
            raise CommandError("There are problems.")

    def _flush(self, flushing: FlushResult, timeout: float) -> None:
        with suppress(TimeoutError, FutureTimeoutError):
            flushing.result(timeout)
        words = f"{flushing.delivered} delivered, {flushing.pending} pending, {flushing.dead} dead"
        if flushing.pending or flushing.dead:
            raise CommandError(words)
        self.stdout.write(words)


def _client() -> AmplitudeAI | None:
    """Return the client of the settings, if these are right and say where events go."""
    with suppress(ConfigurationError):
        door = conf.door()
        return door.ai if door.policy is not None else None
    return None


def _findings() -> Iterator[Finding]:
    for message in checks.run_checks(tags=[TAG], include_deployment_checks=True):
        state: State = "problem" if message.level >= checks.ERROR else "warning"
        yield Finding("Django", state, f"{message.msg} ({message.id})", message.hint or "")
