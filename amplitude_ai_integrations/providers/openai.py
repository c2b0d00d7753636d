"""OpenAI's own clients, observed: https://platform.openai.com/docs/api-reference.

Every call of these clients passes ``client.request``, whichever public method made it: ``create``,
``parse``, ``stream``, raw and streaming responses, copies by ``with_options``. That is where they are
observed; nothing in the vendor's package is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..calls.facts import Adapter
from ..calls.keywords import taken_from
from ..calls.observation import Observation
from ..calls.streams import Hides, observe_async, observe_sync
from ..client.attach import client_of
from ..client.default import default_client, is_anyone_tracking
from ..context import get_active_context
from ..exceptions import ConfigurationError, shielded
from ..propagation import inject_context
from ..registry import PROVIDERS, note_observed

try:
    import openai
except ImportError as error:
    raise PROVIDERS["openai"].missing() from error

from .openai_chat import ChatCompletions
from .openai_embeddings import Embeddings
from .openai_methods import with_keywords
from .openai_raw import is_raw, observe_raw
from .openai_responses import Responses

Observe = Callable[..., None]

_ADAPTERS: Mapping[str, Callable[[str], Adapter]] = {
    "/chat/completions": ChatCompletions,
    "/responses": Responses,
    "/embeddings": Embeddings,
}
# Asking for usage is safe where the server is the vendor's own; others may refuse what they do not know.
_COUNTS_ON_REQUEST = ("api.openai.com", ".openai.azure.com")  # and their regional hosts


def _is_nothing(_chunk: Any) -> bool:
    return False


def _is_unasked(chunk: Any) -> bool:
    """Take from a chunk what is there only since we asked for usage; tell whether nothing else is in it."""
    if chunk.usage is None:
        chunk.model_fields_set.discard("usage")
        return False
    return not chunk.choices


class _Watch:
    """One call on its way, and what to do with what comes back."""

    def __init__(self, observation: Observation, observe: Observe, *, is_raw: bool) -> None:
        self.observation = observation
        self.hides: Hides = _is_nothing
        self._observe = observe
        self._is_raw = is_raw

    def returned(self, response: Any) -> None:
        """Take what the vendor's client returns: an answer, a stream, or a raw response."""
        with shielded("openai"):
            if self._is_raw:
                observe_raw(response, self.observation, self._observe)
            elif isinstance(response, (openai.Stream, openai.AsyncStream)):
                self._observe(response, self.observation, self.hides)
            else:
                self.observation.returned(response)


class _Observed:
    """What the observed clients share: whose they are, and how a call is watched."""

    # No slots, and second among the bases, so that a vendor's client can become one of ours in place.
    __slots__ = ()

    _amplitude: Any
    _amplitude_defaults: Mapping[str, Any]
    _provider_name: str

    def _watch(self, options: Any, is_streaming: bool, observe: Observe) -> _Watch | None:
        """Begin to watch a call, if it is one of a model; its options lose what is ours."""
        with shielded("openai"):
            headers, keywords = taken_from(options.headers)
            if keywords:
                options.headers = headers
            observation = self._observation(options, keywords, is_streaming)
            if observation is None:
                return None
            if observation.propagates:
                options.headers = inject_context(dict(headers) if isinstance(headers, Mapping) else None)
            watch = _Watch(observation, observe, is_raw=is_raw(headers))
            if is_streaming and self._asks_for_usage(options):
                watch.hides = _is_unasked
            return watch
        return None

    def _observation(
        self, options: Any, keywords: Mapping[str, Any], is_streaming: bool
    ) -> Observation | None:
        adapter = _ADAPTERS.get(options.url)
        if adapter is None or options.method.lower() != "post" or not isinstance(options.json_data, dict):
            return None
        ai = client_of(self._amplitude)
        if not ai.config.enabled:
            return None
        return Observation(
            ai,
            adapter(self._provider_name),
            options.json_data,
            keywords if get_active_context() else {**self._amplitude_defaults, **keywords},
            is_streaming=is_streaming,
        )

    def _asks_for_usage(self, options: Any) -> bool:
        """Ask a chat stream to count its tokens, unless the caller did; tell whether we asked."""
        host = self.base_url.host  # type: ignore[attr-defined]  # the vendor's client has it
        given = {*options.json_data, *(getattr(options, "extra_json", None) or ())}
        is_asked = "stream_options" in given or options.url != "/chat/completions"
        if is_asked or is_raw(options.headers) or not host.endswith(_COUNTS_ON_REQUEST):
            return False
        options.json_data = {**options.json_data, "stream_options": {"include_usage": True}}
        return True


class OpenAI(openai.OpenAI, _Observed):
    """``openai.OpenAI`` whose calls become ``[Agent]`` events.

    Takes the vendor's own arguments besides ``amplitude`` (an ``AmplitudeAI`` or an ``Amplitude``; by default
    the only ``AmplitudeAI`` there is) and
    ``provider_name`` (what the events say where the server is another vendor's). Each call also takes
    ``amplitude_user_id``, ``amplitude_conversation_id``, ``amplitude_message_id`` and the like.
    """

    def __init__(
        self,
        *,
        amplitude: Any = None,
        provider_name: str = "openai",
        amplitude_defaults: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        adopt(self, amplitude, provider_name, amplitude_defaults)

    def copy(self, *, _extra_kwargs: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Return a copy of the client, observed like this one."""
        return super().copy(_extra_kwargs=_own_arguments(self, _extra_kwargs), **options)

    with_options = copy

    def request(self, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        """Make a call and observe it."""
        watch = self._watch(options, bool(kwargs.get("stream")), observe_sync)
        if watch is None:
            return super().request(cast_to, options, *args, **kwargs)
        try:
            response = super().request(cast_to, options, *args, **kwargs)
        except BaseException as error:
            watch.observation.failed(error)
            raise
        watch.returned(response)
        return response


class AsyncOpenAI(openai.AsyncOpenAI, _Observed):
    """``openai.AsyncOpenAI`` whose calls become ``[Agent]`` events; see ``OpenAI``."""

    def __init__(
        self,
        *,
        amplitude: Any = None,
        provider_name: str = "openai",
        amplitude_defaults: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        adopt(self, amplitude, provider_name, amplitude_defaults)

    def copy(self, *, _extra_kwargs: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Return a copy of the client, observed like this one."""
        return super().copy(_extra_kwargs=_own_arguments(self, _extra_kwargs), **options)

    with_options = copy

    async def request(self, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        """Make a call and observe it."""
        watch = self._watch(options, bool(kwargs.get("stream")), observe_async)
        if watch is None:
            return await super().request(cast_to, options, *args, **kwargs)
        try:
            response = await super().request(cast_to, options, *args, **kwargs)
        except BaseException as error:
            watch.observation.failed(error)
            raise
        watch.returned(response)
        return response


def _own_arguments(client: _Observed, extra: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        **(extra or {}),
        "amplitude": client._amplitude,
        "provider_name": client._provider_name,
        "amplitude_defaults": client._amplitude_defaults,
    }


def adopt(
    client: Any, amplitude: Any, provider_name: str = "openai", defaults: Mapping[str, Any] | None = None
) -> None:
    """Make a client that is, or has become, one of our classes report to ``amplitude``.

    Raises:
        ConfigurationError: ``amplitude`` is neither an ``AmplitudeAI`` nor an ``Amplitude``; or it is not
            given, and there is no client in the process or more than one.
    """
    if amplitude is None:
        amplitude = default_client()
    if amplitude is None:
        raise ConfigurationError(
            f"{type(client).__name__}() cannot tell where to report, since this process has "
            f"{'several AmplitudeAI' if is_anyone_tracking() else 'no AmplitudeAI yet'}: pass amplitude=."
        )
    client_of(amplitude)
    client._amplitude = amplitude
    client._amplitude_defaults = dict(defaults or {})
    client._provider_name = provider_name
    with_keywords(client)
    note_observed("openai")


OBSERVED: Mapping[type, type] = {openai.OpenAI: OpenAI, openai.AsyncOpenAI: AsyncOpenAI}
