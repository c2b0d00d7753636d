"""How events are made and where they go, with defaults from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import urlsplit

from .exceptions import ConfigurationError

T = TypeVar("T")

ENVIRONMENT_PREFIX = "AMPLITUDE_AI_"


class ContentMode(str, Enum):
    """How much of a conversation leaves the process."""

    FULL = "full"
    METADATA_ONLY = "metadata_only"
    CUSTOMER_ENRICHED = "customer_enriched"


def _env(name: str, default: T, read: Callable[[str], T]) -> Callable[[], T]:
    def value() -> T:
        text = os.environ.get(ENVIRONMENT_PREFIX + name)
        return read(text) if text else default

    return value


_FLAGS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


def _flag(text: str) -> bool:
    try:
        return _FLAGS[text.strip().lower()]
    except KeyError:
        raise ConfigurationError(f"An environment variable is {text!r}; use 'true' or 'false'.") from None


def _environment_mode() -> str:
    return os.environ.get(ENVIRONMENT_PREFIX + "CONTENT_MODE") or ContentMode.FULL.value


def _enabled() -> bool:
    is_disabled = _flag(os.environ.get("AMPLITUDE_TRACKING_DISABLED") or "false")
    return not is_disabled and _flag(os.environ.get(ENVIRONMENT_PREFIX + "ENABLED") or "true")


@dataclass(frozen=True)
class AIConfig:
    """Everything you can decide about events; each plain field also reads ``AMPLITUDE_AI_<NAME>``.

    Args:
        content_mode: Which words may leave; ``full`` by default, so that sessions can be read and evaluated.
        redact_pii: Replace e-mail addresses, phone and card numbers, SSNs and IP addresses before anything
            leaves; on by default.
        custom_redaction_patterns: Further regular expressions; a plain one becomes ``[REDACTED]``, a
            ``(pattern, replacement)`` pair its replacement.
        custom_redaction_fn: Called last with each text; where it fails the text stays as it was before it.
        context_keys: Keys of ``context`` that may leave in the modes without text.
        on_event_callback: ``(event, status code, message)`` once an event is delivered or refused.
        before_send: Sees each finished event last; returns it, changed or not, or ``None`` to drop it.
        debug: Print one line an event to stderr.
        dry_run: Print events instead of sending them.
        validate: Raise ``ValidationError`` on bad arguments instead of sending what can be sent.
        enabled: ``False`` (or ``AMPLITUDE_TRACKING_DISABLED=true``) turns every door into a no-op.
        server_url: Where events go instead of Amplitude, for example ``http://127.0.0.1:8320``.
        server_zone: ``US`` or ``EU``.
        propagate_context: Trust and send session, trace and agent ids between services.

    Raises:
        ConfigurationError: A value is not one of those allowed, a pattern does not compile, or a URL is none.
    """

    content_mode: ContentMode = field(default_factory=lambda: _content_mode(_environment_mode()))
    redact_pii: bool = field(default_factory=_env("REDACT_PII", True, _flag))
    custom_redaction_patterns: Sequence[str | tuple[str, str]] = ()
    custom_redaction_fn: Callable[[str], str] | None = None
    context_keys: Sequence[str] = ()
    on_event_callback: Callable[[Any, int, str | None], object] | None = None
    before_send: Callable[[dict[str, Any]], Mapping[str, Any] | None] | None = None
    debug: bool = field(default_factory=_env("DEBUG", False, _flag))
    dry_run: bool = field(default_factory=_env("DRY_RUN", False, _flag))
    validate: bool = field(default_factory=_env("VALIDATE", False, _flag))
    enabled: bool = field(default_factory=_enabled)
    server_url: str | None = field(default_factory=_env("SERVER_URL", None, str))
    server_zone: str = field(default_factory=_env("SERVER_ZONE", "US", str.upper))
    propagate_context: bool = field(default_factory=_env("PROPAGATE_CONTEXT", False, _flag))

    def __post_init__(self) -> None:
        object.__setattr__(self, "content_mode", _content_mode(self.content_mode))
        _check_zone(self.server_zone)
        _check_url(self.server_url)
        for pattern in self.custom_redaction_patterns:
            _check_pattern(pattern if isinstance(pattern, str) else pattern[0])
        for name in ("custom_redaction_fn", "on_event_callback", "before_send"):
            value = getattr(self, name)
            if value is not None and not callable(value):
                raise ConfigurationError(f"{name} must be callable, not {type(value).__name__}.")


def _content_mode(value: object) -> ContentMode:
    try:
        return ContentMode(value)
    except ValueError:
        modes = ", ".join(repr(mode.value) for mode in ContentMode)
        raise ConfigurationError(f"content_mode is {value!r}; use one of {modes}.") from None


def _check_zone(zone: str) -> None:
    if zone not in {"US", "EU"}:
        raise ConfigurationError(f"server_zone is {zone!r}; use 'US' or 'EU'.")


def _check_url(url: str | None) -> None:
    if url is None:
        return
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ConfigurationError(f"server_url is {url!r}; use a URL such as 'http://127.0.0.1:8320'.")


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise ConfigurationError(f"redaction pattern {pattern!r} does not compile: {error}.") from None
