"""What the doors of all queues share: the client of a process, and the jobs that a thread is in."""

from __future__ import annotations

import os
import pkgutil
import threading
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from ..client.attach import client_of
from ..client.client import AmplitudeAI
from ..exceptions import logger
from ..web.handing import JobSession, carry

_DEADLINE = 5.0  # seconds that a worker's end waits for its events; supervisors kill what takes much longer


class ProcessClient:
    """The client of this process: the one given, or what a function or a dotted path leads to.

    A function is called when a job first needs the client, once in each process: the official client cannot
    deliver in a child that was forked after the parent had sent something through it.
    """

    def __init__(self, given: Any) -> None:
        self._given = given
        self._client: AmplitudeAI | None = None
        self._born_in = os.getpid()
        self._found_in: int | None = None  # the process for which it was looked for, found or not
        self._lock = threading.RLock()
        if not isinstance(given, str) and not _is_maker(given):
            self._client = client_of(given, "amplitude_ai")
            self._found_in = self._born_in

    def get(self) -> AmplitudeAI | None:
        """Return the client, made now if need be; ``None`` where that fails, which is said once."""
        if self._found_in != os.getpid():
            with self._lock:
                if self._found_in != os.getpid():
                    self._find()
        return self._client

    def deliver(self) -> None:
        """Deliver what waits in this process, five seconds at most."""
        if self._client is None or self._found_in != os.getpid():
            return
        flushing = self._client.flush()
        try:
            flushing.result(_DEADLINE)
        except (TimeoutError, FutureTimeoutError):
            words = "%d events were not delivered within %.0f s of the worker's end."
            logger.warning(words, flushing.pending, _DEADLINE)

    def _find(self) -> None:
        try:
            self._client = client_of(self._given_now(), "amplitude_ai")
        except Exception as error:  # noqa: BLE001 - whatever the application's code raises
            self._client = None
            logger.error("amplitude_ai= of the worker led to no client; its jobs go unseen.", exc_info=error)
        self._found_in = os.getpid()
        is_child = self._found_in != self._born_in
        if is_child and self._client is not None and any(self._client.recorder.pipeline.counts()):
            logger.warning(
                "The client was used before this worker process was forked, and cannot deliver in it. Pass a "
                "function that makes one, as in amplitude_ai=lambda: AmplitudeAI()."
            )

    def _given_now(self) -> Any:
        given = pkgutil.resolve_name(self._given) if isinstance(self._given, str) else self._given
        return given() if _is_maker(given) else given


def _is_maker(given: Any) -> bool:
    return callable(given) and (isinstance(given, type) or not hasattr(given, "track"))


class Jobs(threading.local):
    """The jobs that this thread is in, the innermost last: an eager task runs within another."""

    def __init__(self) -> None:
        self._running: list[tuple[str, JobSession]] = []

    def begin(self, job_id: str, job: JobSession) -> None:
        """Enter a job's session."""
        self._running.append((job_id, job))
        job.enter()

    def end(self, job_id: str, failure: BaseException | None) -> None:
        """Leave it; a job that was never begun is none of ours."""
        if not self._running or self._running[-1][0] != job_id:
            return
        _, job = self._running.pop()
        job.failure = failure
        job.leave()

    def carried(self, job_id: str | None) -> dict[str, Any] | None:
        """Return what a message takes along: from here, but a job that is sent again from where it began."""
        for running, job in reversed(self._running):
            if running == job_id:
                return job.carry()
        return carry()
