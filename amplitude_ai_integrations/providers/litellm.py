"""LiteLLM's calls, whoever answers them: https://docs.litellm.ai/docs/observability/custom_callback."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..calls.covering import cover, uncover
from ..calls.keywords import PREFIX
from ..calls.observation import Observation
from ..calls.reporting import Reporting, resolved
from ..context.recent import Recent
from ..exceptions import shielded
from ..registry import Integration, note_observed

if TYPE_CHECKING:
    CustomLogger = object
else:
    try:
        from litellm.integrations.custom_logger import CustomLogger
    except ImportError as error:
        raise Integration("LiteLLM", "litellm", "litellm>=1.60", None).missing() from error

from .litellm_calls import adapter_of

_SAID: Final = ("tools", "temperature", "top_p", "max_tokens", "max_completion_tokens", "service_tier")


class AmplitudeLiteLLM(CustomLogger):
    """A callback of LiteLLM's that makes ``[Agent]`` events of its calls: ``litellm.callbacks.append(...)``.

    It takes ``amplitude`` (an ``AmplitudeAI`` or an ``Amplitude``; by default the only ``AmplitudeAI`` there
    is), and what holds for calls outside any session: ``user_id=``, ``device_id=``, ``groups=`` and the
    like. A call names its own in LiteLLM's ``metadata``: ``metadata={"amplitude_user_id": "user-42"}``.

    Raises:
        ConfigurationError: ``amplitude`` is neither an ``AmplitudeAI`` nor an ``Amplitude``; or it is not
            given, and there is no client in the process or more than one.
    """

    def __init__(self, amplitude: Any = None, **defaults: Any) -> None:
        super().__init__()
        self._reporting = Reporting(resolved(amplitude, "AmplitudeLiteLLM()"), defaults=defaults)
        self._lock = threading.RLock()
        self._open: dict[str, _Call] = {}
        self._told: Recent[str, bool] = Recent()
        note_observed("litellm")

    def log_pre_api_call(self, model: Any, messages: Any, kwargs: Any) -> None:
        """A call goes out; this runs in the caller's own context."""
        with shielded("litellm"):
            call = self._begun(kwargs)
            if call is not None:
                cover(call.observation, _payload(kwargs))
                with self._lock:
                    self._open[call.id] = call
                kwargs["amplitude_call"] = _Held(lambda: self._left(call))

    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """A call was answered, or a stream read to its end."""
        with shielded("litellm"):
            self._answered(kwargs, response_obj)

    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """The same of an asynchronous call."""
        with shielded("litellm"):
            self._answered(kwargs, response_obj)

    def log_failure_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        """A call, or a stream, raised."""
        with shielded("litellm"):
            self._failed(kwargs)

    async def async_log_failure_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        """The same of an asynchronous call."""
        with shielded("litellm"):
            self._failed(kwargs)

    def _begun(self, kwargs: Any) -> _Call | None:
        payload, is_streaming = _payload(kwargs), bool(kwargs.get("stream"))
        adapter = adapter_of(kwargs)
        if adapter is None:
            return None
        given = (kwargs.get("litellm_params") or {}).get("metadata") or {}
        keywords = {name[len(PREFIX) :]: value for name, value in given.items() if name.startswith(PREFIX)}
        if "conversation_id" in keywords:
            keywords["session_id"] = keywords.pop("conversation_id")
        observation = self._reporting.observe(adapter, payload, keywords, is_streaming=is_streaming)
        return None if observation is None else _Call(str(kwargs.get("litellm_call_id")), observation)

    def _answered(self, kwargs: Any, response: Any) -> None:
        call = self._ended(kwargs)
        if call is not None:
            whole = kwargs.get("complete_streaming_response") or response
            whole = {"response": whole, "was_cached": kwargs.get("cache_hit") is True}
            if kwargs.get("stream"):
                call.observation.chunk(whole)
                call.observation.finished()
            else:
                call.observation.returned(whole)

    def _failed(self, kwargs: Any) -> None:
        call = self._ended(kwargs)
        error = kwargs.get("exception")
        if call is not None and isinstance(error, BaseException):
            call.observation.failed(error)

    def _left(self, call: _Call) -> None:
        with shielded("litellm"):
            with self._lock:
                if self._open.get(call.id) is call:
                    del self._open[call.id]
            uncover(call.observation)
            call.observation.left()

    def _ended(self, kwargs: Any) -> _Call | None:
        """Return the call that ended, once; one that never went out, as from a cache, begins here."""
        call_id = str(kwargs.get("litellm_call_id"))
        with self._lock:
            call = self._open.pop(call_id, None)
            was_told = self._told.get(call_id)
            self._told.put(call_id, True)
        if call is None:
            return None if was_told else self._begun(kwargs)
        uncover(call.observation)
        return call


class _Call:
    """One call under way."""

    def __init__(self, call_id: str, observation: Observation) -> None:
        self.id = call_id
        self.observation = observation


class _Held:
    """Lies among what LiteLLM knows of a call: when it lets go of that, nobody reads the answer any more."""

    def __init__(self, left: Callable[[], None]) -> None:
        self._left = left

    def __copy__(self) -> None:
        return None

    def __deepcopy__(self, _memo: Any) -> None:
        return None

    def __reduce__(self) -> Any:
        return type(None), ()

    def __del__(self) -> None:
        self._left()


def _payload(kwargs: Any) -> dict[str, Any]:
    """Return what is asked in the words of OpenAI's API, as far as LiteLLM's callers write it."""
    said = {name: kwargs[name] for name in _SAID if kwargs.get(name) is not None}
    if "embedding" in str(kwargs.get("call_type")) or "responses" in str(kwargs.get("call_type")):
        return {**said, "model": kwargs.get("model"), "input": kwargs.get("input")}
    return {**said, "model": kwargs.get("model"), "messages": kwargs.get("messages")}
