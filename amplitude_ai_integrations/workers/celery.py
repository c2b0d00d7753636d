"""Celery: a task goes on with the session in which it was sent."""

from __future__ import annotations

from typing import Any

import msgspec

from ..exceptions import ConfigurationError, shielded
from ..web.handing import KEY, JobSession
from .running import Jobs, ProcessClient

try:
    from celery import Celery, signals, states  # type: ignore[import-untyped]
    from celery.exceptions import Retry  # type: ignore[import-untyped]
except ImportError as error:
    raise ImportError(
        "AmplitudeAICelery needs Celery: pip install 'amplitude-ai-integrations[celery]'"
    ) from error

__all__ = ["AmplitudeAICelery"]


class AmplitudeAICelery:
    """Lets tasks go on with the session in which they were sent: ``AmplitudeAICelery(app, amplitude_ai=ai)``.

    Say it where the app is made, so that those who send tasks and the workers both run it. A task sent
    outside any session has none, unless it opens one. The worker never ends a session. What waits when a
    worker is shut down is delivered, five seconds at most.

    Args:
        app: The Celery app.
        amplitude_ai: An ``AmplitudeAI``, an ``Amplitude`` client, or a function, or the dotted path to one,
            that is called once in each process that does a task.

    Raises:
        ConfigurationError: An argument is of the wrong kind.
    """

    def __init__(self, app: Celery, *, amplitude_ai: Any) -> None:
        if not isinstance(app, Celery):
            raise ConfigurationError(f"AmplitudeAICelery takes a Celery app, not {type(app).__name__}.")
        self.app = getattr(app, "_get_current_object", lambda: app)()  # what `current_app` stands for
        self._client = ProcessClient(amplitude_ai)
        self._jobs = Jobs()
        self._receivers = {
            signals.before_task_publish: self._before_send,
            signals.task_prerun: self._before_task,
            signals.task_postrun: self._after_task,
            signals.worker_process_shutdown: self._before_end,
            signals.worker_shutdown: self._before_last_end,
        }
        self.disconnect()
        for signal, receiver in self._receivers.items():
            signal.connect(receiver, weak=False, dispatch_uid=self._uid)

    def disconnect(self) -> None:
        """Leave the app alone again."""
        for signal in self._receivers:
            signal.disconnect(dispatch_uid=self._uid)

    @property
    def _uid(self) -> str:
        return f"amplitude_ai {id(self.app)}"  # of two for one app, the later one counts

    def _before_send(self, headers: Any = None, **_: Any) -> None:
        with shielded("carry"):
            carried = self._jobs.carried(headers.get("id"))
            if carried is not None:
                # As text: brokers are particular about the names and types inside a header.
                headers[KEY] = msgspec.json.encode(carried).decode()

    def _before_task(self, task: Any = None, task_id: str = "", **_: Any) -> None:
        with shielded("begin of job"):
            if task.app is self.app:
                request = task.request
                carried = getattr(request, KEY, None) or (request.headers or {}).get(KEY)
                job = JobSession(self._client.get(), carried, task.name, is_alone=not request.is_eager)
                self._jobs.begin(task_id, job)

    def _after_task(
        self, task: Any = None, task_id: str = "", retval: Any = None, state: str | None = None, **_: Any
    ) -> None:
        failure = None
        with shielded("end of job"):
            failure = _failure(retval, state)
        with shielded("end of job"):
            if task.app is self.app:
                self._jobs.end(task_id, failure)

    def _before_end(self, **_: Any) -> None:
        with shielded("end of worker"):
            self._client.deliver()

    def _before_last_end(self, **_: Any) -> None:
        # A child may have been killed before it came to its end: by a time limit, by the kernel, or because
        # Celery binds its life to the thread that forked it. What it has left on disk is taken over here.
        with shielded("end of worker"):
            self._client.get()
            self._client.deliver()


def _failure(retval: Any, state: str | None) -> BaseException | None:
    """Return the error with which a task failed; to be done again is none, unless an error is the reason."""
    found = retval.exc if isinstance(retval, Retry) else retval if state == states.FAILURE else None
    return found if isinstance(found, BaseException) else None
