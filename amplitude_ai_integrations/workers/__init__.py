"""Background work: the session goes on in the worker, with Celery, Dramatiq, or any queue by hand.

Nothing here imports a queue; ``workers.celery`` and ``workers.dramatiq`` do.
"""

from __future__ import annotations

from typing import Any

from ..client.attach import client_of
from ..web.handing import KEY, JobSession, carry, identified

__all__ = ["KEY", "JobSession", "carry", "carry_on", "identified"]


def carry_on(carried: Any, *, amplitude_ai: Any, name: str = "job") -> JobSession:
    """Return the session of a job, for a ``with`` block around it: ``carried`` is what ``carry()`` returned.

    The block never ends the session. What is not ours, or not whole, counts as nothing. A job that fails
    is recorded as a failed step called ``name``, if an agent spoke in it.

    Raises:
        ConfigurationError: ``amplitude_ai`` is neither an ``AmplitudeAI`` nor an ``Amplitude`` client.
    """
    return JobSession(client_of(amplitude_ai, "amplitude_ai"), carried, name)
