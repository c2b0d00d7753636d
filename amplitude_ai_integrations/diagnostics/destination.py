"""Where events go, for people to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..config import AIConfig
from .secrets import masked, without_password

if TYPE_CHECKING:
    from ..client.client import AmplitudeAI

_LOCAL_KEY: Final = "local"  # what a client of ours says to a server that needs none


class Destination(NamedTuple):
    """Where events go in words; the server and the project's key, as far as there are any."""

    words: str
    server_url: str = ""
    api_key: str = ""
    is_open: bool = False

    @property
    def is_amplitude(self) -> bool:
        """Whether it is Amplitude itself, where a key counts."""
        return bool(self.api_key) and not self.server_url


def of_environment(config: AIConfig, api_key: str) -> Destination:
    """Return where the events of ``AmplitudeAI()`` go."""
    return _withheld(config) or _server(config.server_url or "", config.server_zone, api_key)


def of_client(ai: AmplitudeAI) -> Destination:
    """Return where a client's events go."""
    withheld = _withheld(ai.config)
    if withheld is not None:
        return withheld
    sink = ai.recorder.pipeline.sinks[-1]
    settings: Any = getattr(getattr(sink, "client", None), "configuration", None)
    if settings is None:
        return Destination(f"Events go to a {type(sink).__name__} of yours.")
    key = getattr(settings, "api_key", "")
    zone = getattr(settings, "server_zone", ai.config.server_zone)
    url = str(getattr(settings, "server_url", ""))
    is_theirs = "amplitude.com/" in url
    return _server("" if is_theirs else url, str(zone), key if isinstance(key, str) else "")


def is_ours(ai: AmplitudeAI) -> bool:
    """Tell whether a client's events are kept and sent by an outbox."""
    sinks = ai.recorder.pipeline.sinks
    return bool(sinks) and hasattr(sinks[-1], "outbox")


def _withheld(config: AIConfig) -> Destination | None:
    if not config.enabled:
        return Destination("Events go nowhere: tracking is switched off.")
    if config.review_mode:
        return Destination("Events stay in memory: review mode is on.")
    if config.dry_run:
        return Destination("Events are printed: dry run is on.")
    return None


def _server(url: str, zone: str, key: str) -> Destination:
    if url:
        end = f", with the key {masked(key)}" if key and key != _LOCAL_KEY else ""
        return Destination(f"Events go to {without_password(url)}{end}.", url, key)
    if key:
        words = f"Events go to Amplitude ({zone}), to the project with the key {masked(key)}."
        return Destination(words, "", key)
    return Destination("Nothing says where events go.", is_open=True)
