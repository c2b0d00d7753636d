"""What ``amplitude-ai-instrument`` does in a program: observe the clients of a vendor that has come in."""

from __future__ import annotations

import logging
from functools import cache

from ..calls.reporting import Reporting
from ..client.client import AmplitudeAI
from ..client.default import forget_client
from ..exceptions import logger
from .process import patches
from .ways import WAYS


def arrived(provider: str) -> None:
    """Observe all clients of a provider whose package the program has just imported.

    Raises:
        ConfigurationError: The environment does not say where to send events, or says something else wrong.
    """
    reporting = _reporting()
    if reporting.client.config.enabled:
        patches.put_what_can_be(WAYS[provider], reporting)


@cache
def _reporting() -> Reporting:
    """Return what the environment configures, for the whole process."""
    ai = AmplitudeAI()
    forget_client(ai)  # a program that makes one of its own need not say which
    if not ai.config.debug:
        # What is logged reaches the handlers of the program, but not, where it has none, its stderr.
        logger.addHandler(logging.NullHandler())
    return Reporting(ai)
