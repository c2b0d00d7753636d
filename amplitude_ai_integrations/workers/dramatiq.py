"""Dramatiq: a message goes on with the session in which it was sent."""

from __future__ import annotations

from typing import Any

from ..exceptions import shielded
from ..web.handing import KEY, JobSession
from .running import Jobs, ProcessClient

try:
    from dramatiq import Broker, Message, Middleware
    from dramatiq.errors import RateLimitExceeded, Retry
    from dramatiq.middleware import Shutdown
except ImportError as error:
    raise ImportError(
        "AmplitudeAIDramatiq needs Dramatiq: pip install 'amplitude-ai-integrations[dramatiq]'"
    ) from error

__all__ = ["AmplitudeAIDramatiq"]

_NO_FAILURES = (Retry, RateLimitExceeded, Shutdown)  # a message that is to be done again


class AmplitudeAIDramatiq(Middleware):
    """Lets messages go on with the session in which they were sent:
    ``broker.add_middleware(AmplitudeAIDramatiq(amplitude_ai=ai))``.

    Say it where the broker is made, so that those who send messages and the workers both run it. A message
    sent outside any session has none, unless its actor opens one. The worker never ends a session. What
    waits when a worker is shut down is delivered, five seconds at most.

    Args:
        amplitude_ai: An ``AmplitudeAI``, an ``Amplitude`` client, or a function, or the dotted path to one,
            that is called once in each process that does a message.

    Raises:
        ConfigurationError: It is none of these.
    """

    def __init__(self, *, amplitude_ai: Any) -> None:
        self._client = ProcessClient(amplitude_ai)
        self._jobs = Jobs()

    def before_worker_boot(self, broker: Broker, worker: Any) -> None:
        """Take the outermost place, so that retries, pipelines and callbacks are sent within the session."""
        with shielded("begin of worker"):
            broker.middleware.remove(self)
            broker.middleware.insert(0, self)

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        """Let the message take the session along."""
        with shielded("carry"):
            carried = self._jobs.carried(message.message_id)
            if carried is not None:
                message.options[KEY] = carried

    def before_process_message(self, broker: Broker, message: Any) -> None:
        """Enter the session that came along."""
        with shielded("begin of job"):
            carried = message.options.get(KEY)
            job = JobSession(self._client.get(), carried, message.actor_name, is_alone=True)
            self._jobs.begin(message.message_id, job)

    def after_process_message(
        self, broker: Broker, message: Any, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        """Leave it again."""
        with shielded("end of job"):
            failure = None if isinstance(exception, _NO_FAILURES) else exception
            self._jobs.end(message.message_id, failure)

    def after_skip_message(self, broker: Broker, message: Any) -> None:
        """Leave it again, where the message was not done."""
        with shielded("end of job"):
            self._jobs.end(message.message_id, None)

    def after_worker_shutdown(self, broker: Broker, worker: Any) -> None:
        """Deliver what waits, after the last message."""
        with shielded("end of worker"):
            self._client.deliver()
