"""How events are made and where they go, with defaults from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from .exceptions import ConfigurationError

T = TypeVar("T")

ENVIRONMENT_PREFIX = "AMPLITUDE_AI_"


class ContentMode(str, Enum):
    """How much of a conversation leaves the process."""

    FULL = "full"
    METADATA_ONLY = "metadata_only"
    CUSTOMER_ENRICHED = "customer_enriched"


class TurnCounter(Protocol):
    """Numbers the events of sessions; one that several processes share keeps them rising across all."""

    def take(self, session_id: str, explicit: int | None = None) -> int:
        """Return the session's next number from 1, or ``explicit``, which the next ones lie above."""


def _read(default: T, read: Callable[[str], T], *variables: str) -> T:
    """Return what the first of some environment variables says, or ``default`` where none is set."""
    for variable in variables:
        text = os.environ.get(variable)
        if text:
            try:
                return read(text)
            except ConfigurationError as error:
                raise ConfigurationError(f"{variable} is {text!r}; {error}") from None
    return default


def _env(name: str, default: T, read: Callable[[str], T]) -> Callable[[], T]:
    return lambda: _read(default, read, ENVIRONMENT_PREFIX + name)


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
        raise ConfigurationError("use 'true' or 'false'.") from None


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ConfigurationError("use a number from 0 to 1.") from None


def _first(*variables: str) -> Callable[[], str | None]:
    return lambda: _read(None, str, *variables)


def _environment_mode() -> str:
    return os.environ.get(ENVIRONMENT_PREFIX + "CONTENT_MODE") or ContentMode.FULL.value


def _enabled() -> bool:
    is_disabled = _read(False, _flag, "AMPLITUDE_TRACKING_DISABLED")
    return not is_disabled and _read(True, _flag, ENVIRONMENT_PREFIX + "ENABLED")


def _review_mode() -> bool:
    return _read(False, _flag, ENVIRONMENT_PREFIX + "REVIEW_MODE", ENVIRONMENT_PREFIX + "REVIEW")


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
        use_batch: Send to the Batch API, which takes more events of one user a second.
        spool: The folder in which events wait until they are delivered, or ``off`` for memory only; by
            default in your user's state folder.
        durable: Keep events on disk also where they go through an ``Amplitude`` client of yours.
        propagate_context: Trust and send session, trace and agent ids between services.
        review_mode: Keep what would leave for ``get_review_traffic()`` and send nothing; also
            ``AMPLITUDE_AI_REVIEW``.
        capture_stack_trace: Send where in your code an error arose; off, since paths and lines are yours.
        strict_cost: Raise ``CostCalculationError`` from ``track_ai_message`` and ``track_embedding`` where
            a model's price is unknown; calls that are only observed never raise it.
        session_sample_rate: The share of sessions to keep, 0 to 1, told from the session's id: whole
            sessions are kept or dropped, by every process alike.
        follow_threads: Let threads and thread pools see the session they were started from, in the whole
            process; off, since it changes ``threading``.
        turn_counter: Numbers the events of a session; by default in this process's memory.
        git_sha: The commit you deployed, on every event; also ``AMPLITUDE_GIT_SHA``, ``GIT_SHA``,
            ``GITHUB_SHA`` or ``COMMIT_SHA``.
        git_ref: Its branch or tag; also ``AMPLITUDE_GIT_REF``, ``GIT_REF`` or ``GITHUB_REF``.
        git_repo: Its repository; also ``AMPLITUDE_GIT_REPO``, ``GIT_REPO`` or ``GITHUB_REPOSITORY``.

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
    use_batch: bool = field(default_factory=_env("USE_BATCH", False, _flag))
    spool: str | os.PathLike[str] | None = field(default_factory=_env("SPOOL", None, str))
    durable: bool = field(default_factory=_env("DURABLE", False, _flag))
    propagate_context: bool = field(default_factory=_env("PROPAGATE_CONTEXT", False, _flag))
    review_mode: bool = field(default_factory=_review_mode)
    capture_stack_trace: bool = field(default_factory=_env("CAPTURE_STACK_TRACE", False, _flag))
    strict_cost: bool = field(default_factory=_env("STRICT_COST", False, _flag))
    session_sample_rate: float = field(default_factory=_env("SESSION_SAMPLE_RATE", 1.0, _share))
    follow_threads: bool = field(default_factory=_env("FOLLOW_THREADS", False, _flag))
    turn_counter: TurnCounter | None = None
    git_sha: str | None = field(
        default_factory=_first("AMPLITUDE_GIT_SHA", "GIT_SHA", "GITHUB_SHA", "COMMIT_SHA")
    )
    git_ref: str | None = field(default_factory=_first("AMPLITUDE_GIT_REF", "GIT_REF", "GITHUB_REF"))
    git_repo: str | None = field(
        default_factory=_first("AMPLITUDE_GIT_REPO", "GIT_REPO", "GITHUB_REPOSITORY")
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "content_mode", _content_mode(self.content_mode))
        _check_zone(self.server_zone)
        _check_url(self.server_url)
        _check_share(self.session_sample_rate)
        if self.spool is not None and not isinstance(self.spool, (str, os.PathLike)):
            raise ConfigurationError(f"spool is {self.spool!r}; name a folder, or say 'off'.")
        for item in fields(self):
            if item.type == "bool":
                _check_flag(item.name, getattr(self, item.name))
        _check_list("context_keys", self.context_keys)
        _check_patterns(self.custom_redaction_patterns)
        for name in ("custom_redaction_fn", "on_event_callback", "before_send"):
            _check_function(name, getattr(self, name))
        if self.turn_counter is not None and not callable(getattr(self.turn_counter, "take", None)):
            raise ConfigurationError("turn_counter must have a method take(session_id, explicit).")


_STRICTNESS = (ContentMode.FULL, ContentMode.CUSTOMER_ENRICHED, ContentMode.METADATA_ONLY)


@dataclass(frozen=True)
class PrivacyConfig:
    """What one door lets out, where that differs from the ``AIConfig`` of its client; what is not said stays.

    ``privacy_mode`` is short for ``content_mode="metadata_only"``. Patterns and a function are added to those
    of the client. Inside a session its configuration holds for all doors: one of them can keep back more
    there, and never less. See ``AIConfig`` for the rest.

    Raises:
        ConfigurationError: A value is not one of those allowed, or a pattern does not compile.
    """

    privacy_mode: bool = False
    redact_pii: bool | None = None
    custom_redaction_patterns: Sequence[str | tuple[str, str]] = ()
    custom_redaction_fn: Callable[[str], str] | None = None
    content_mode: ContentMode | str | None = None
    validate: bool | None = None
    debug: bool | None = None
    capture_stack_trace: bool | None = None

    def __post_init__(self) -> None:
        _check_flag("privacy_mode", self.privacy_mode)
        for name in _FLAGS_OF_A_DOOR:
            if getattr(self, name) is not None:
                _check_flag(name, getattr(self, name))
        _check_patterns(self.custom_redaction_patterns)
        _check_function("custom_redaction_fn", self.custom_redaction_fn)
        if self.content_mode is not None:
            object.__setattr__(self, "content_mode", _content_mode(self.content_mode))

    def over(self, config: AIConfig) -> AIConfig:
        """Return a client's configuration with what is said here in its place."""
        own = {name: getattr(self, name) for name in _FLAGS_OF_A_DOOR if getattr(self, name) is not None}
        mode = config.content_mode if self.content_mode is None else _content_mode(self.content_mode)
        return replace(
            config,
            content_mode=ContentMode.METADATA_ONLY if self.privacy_mode else mode,
            custom_redaction_patterns=(*config.custom_redaction_patterns, *self.custom_redaction_patterns),
            custom_redaction_fn=_one_after_the_other(config.custom_redaction_fn, self.custom_redaction_fn),
            **own,
        )

    def within(self, config: AIConfig) -> AIConfig:
        """Return a session's configuration with what is stricter here in its place."""
        own = self.over(config)
        return replace(
            own,
            content_mode=max(own.content_mode, config.content_mode, key=_STRICTNESS.index),
            redact_pii=own.redact_pii or config.redact_pii,
            capture_stack_trace=own.capture_stack_trace and config.capture_stack_trace,
        )


_FLAGS_OF_A_DOOR = ("redact_pii", "validate", "debug", "capture_stack_trace")


def _one_after_the_other(
    first: Callable[[str], str] | None, second: Callable[[str], str] | None
) -> Callable[[str], str] | None:
    if first is None or second is None:
        return second if first is None else first
    return lambda text: second(first(text))


def _content_mode(value: object) -> ContentMode:
    try:
        return ContentMode(value)
    except ValueError:
        modes = ", ".join(repr(mode.value) for mode in ContentMode)
        raise ConfigurationError(f"content_mode is {value!r}; use one of {modes}.") from None


def _check_flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} is {value!r}; it must be True or False.")


def _check_list(name: str, value: object) -> None:
    if isinstance(value, str) or not isinstance(value, (Sequence, Set)):
        raise ConfigurationError(f"{name} is {value!r}; give a list.")


def _check_patterns(patterns: Any) -> None:
    _check_list("custom_redaction_patterns", patterns)
    for pattern in patterns:
        _check_pattern(pattern)


def _check_function(name: str, value: object) -> None:
    if value is not None and not callable(value):
        raise ConfigurationError(f"{name} must be callable, not {type(value).__name__}.")


def _check_zone(zone: object) -> None:
    if zone not in ("US", "EU"):
        raise ConfigurationError(f"server_zone is {zone!r}; use 'US' or 'EU'.")


def _check_share(share: object) -> None:
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise ConfigurationError(f"session_sample_rate is {share!r}; use a number from 0 to 1.")


def _check_url(url: str | None) -> None:
    if url is None:
        return
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.netloc) and url == url.strip()
        is_url = is_url and parts.port != 0  # which raises for one that is none
    except (ValueError, AttributeError):  # brackets that are no address, or no text at all
        is_url = False
    if not is_url:
        raise ConfigurationError(f"server_url is {url!r}; use a URL such as 'http://127.0.0.1:8320'.")


def _check_pattern(pattern: object) -> None:
    if isinstance(pattern, str):
        expression, replacement = pattern, ""
    elif isinstance(pattern, (tuple, list)) and len(pattern) == 2 and isinstance(pattern[0], str):
        expression, replacement = pattern
    else:
        raise ConfigurationError(f"redaction pattern {pattern!r} is neither a text nor a pair of texts.")
    try:
        re.compile(expression).sub(replacement, "")
    except (re.error, TypeError, IndexError) as error:
        raise ConfigurationError(f"redaction pattern {pattern!r} does not compile: {error}.") from None
