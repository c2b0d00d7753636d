"""Fresh prices while the program runs, by the updater of ``genai-prices``."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from ..exceptions import ConfigurationError, logger, shielded

if TYPE_CHECKING:
    from genai_prices import UpdatePrices


class LivePrices:
    """The one update of the price list in this process; ``stop()`` ends it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._updater: UpdatePrices | None = None

    def start(self, update_interval: float, url: str | None) -> None:
        """Begin, unless it has begun already."""
        from genai_prices import UpdatePrices

        with self._lock:
            if self._updater is not None:
                return
            updater = UpdatePrices(update_interval=update_interval)
            if url is not None:
                updater.url = url
            try:
                updater.start()
            except RuntimeError:  # older versions allow one updater, and the program has started its own
                return
            self._updater = updater

    def stop(self) -> None:
        """End the updates; it may take until a download under way is over."""
        with self._lock:
            updater, self._updater = self._updater, None
        if updater is None:
            return
        try:
            updater.stop()  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001 - older versions raise the last download's error here
            logger.debug("The last update of prices failed: %r", error)


_live: Final = LivePrices()


def enable_live_price_updates(update_interval: float = 3_600, *, url: str | None = None) -> LivePrices:
    """Download the current price list now and then, for models that are newer than the installed one.

    A thread asks GitHub, or the ``url`` of your own copy, every ``update_interval`` seconds; hourly by
    default, as the list changes a few times a week. Where the network is away the prices at hand stay. A
    second call changes nothing. Threads end at a fork: call it in each worker process, not before.

    Raises:
        ConfigurationError: The interval is not a positive number of seconds.
    """
    is_number = isinstance(update_interval, (int, float)) and not isinstance(update_interval, bool)
    if not (is_number and 0 < update_interval <= threading.TIMEOUT_MAX):
        raise ConfigurationError(f"update_interval is {update_interval!r}; use a positive number of seconds.")
    with shielded("enable_live_price_updates"):
        _live.start(update_interval, url)
    return _live
