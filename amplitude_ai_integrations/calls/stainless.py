"""The clients of OpenAI and Anthropic, which come out of one generator and are alike inside.

Every call passes ``client.request``, whichever public method made it: ``create``, ``parse``, ``stream``, raw
and streaming responses, copies by ``with_options``. That is where calls are observed. A client that is
observed by itself is of a subclass of its own class; ``patch`` puts the same function into the class.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

from ..exceptions import shielded
from ..propagation import inject_context
from .facts import Adapter
from .keywords import taken_from
from .methods import Resource, patch_keywords, with_keywords
from .observation import Observation
from .raw import is_raw, observe_raw
from .replacing import Undo, replace
from .reporting import Reporting, report, reporting_of
from .streams import Hides, observe_async, observe_sync

Kind = TypeVar("Kind", bound=type)


def _asks_for_nothing(_client: Any, _options: Any) -> Hides | None:
    return None


@dataclass(frozen=True)
class Vendor:
    """What differs between the two.

    ``adapters`` are by the path of a request, made with the name of who answers, which ``provider`` tells of
    a client. ``streams`` are the classes of streamed answers. ``resources`` have the methods that people
    call. ``ask_for_usage`` changes a streaming request so that its tokens are counted, and returns what
    tells the chunks that are there only for that.
    """

    name: str
    adapters: Mapping[str, Callable[[str], Adapter]]
    streams: tuple[type, ...]
    provider: Callable[[Any], str]
    resources: tuple[Resource, ...]
    ask_for_usage: Callable[[Any, Any], Hides | None] = _asks_for_nothing
    twins: dict[type, type] = field(default_factory=dict)  # a client class -> its observed subclass

    def observed(self, kind: Kind) -> Kind:
        """Make a subclass of a client class of the vendor's observe the calls of its instances.

        Its constructor takes the vendor's arguments and ``amplitude`` (an ``AmplitudeAI`` or an
        ``Amplitude``; by default the only ``AmplitudeAI`` there is), ``provider_name`` (who answers, in the
        events, where the client's class and address do not tell), ``amplitude_defaults`` (what holds for
        calls outside any session), and ``client``: one that exists, which is then observed and returned.
        """
        given: Any = kind
        base = given.__base__
        self.twins[base] = self.twins[given] = given
        given.request = self.requesting(base.request, reporting_of)
        given.copy = given.with_options = self._copying(base.copy)

        def new(cls: Any, *args: Any, client: Any = None, **options: Any) -> Any:
            return base.__new__(cls) if client is None else self.become(client)

        def init(
            self_: Any,
            amplitude: Any = None,
            *,
            provider_name: str | None = None,
            amplitude_defaults: Mapping[str, Any] | None = None,
            client: Any = None,
            **options: Any,
        ) -> None:
            if client is None:
                base.__init__(self_, **options)
            self.adopt(self_, amplitude, provider_name, amplitude_defaults)

        given.__new__, given.__init__ = new, init
        _self, *taken = inspect.signature(init).parameters.values()
        given.__signature__ = inspect.Signature(taken)  # else that of `__new__` is shown
        return kind

    def become(self, client: Any) -> Any:
        """Turn a client into an observed one, and return it: the same object, of a subclass of its class."""
        kind = type(client)
        if kind not in self.twins:
            names = {
                "__module__": kind.__module__,
                "__qualname__": kind.__qualname__,
                "__doc__": kind.__doc__,
            }
            self.observed(type(kind.__name__, (kind,), names))
        client.__class__ = self.twins[kind]
        return client

    def adopt(
        self,
        client: Any,
        amplitude: Any,
        provider_name: str | None = None,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        """Make a client of an observed class report to ``amplitude``.

        Raises:
            ConfigurationError: As ``report``.
        """
        report(client, self.name, amplitude, provider_name, defaults)
        with_keywords(client, self.resources)

    def patch(self, kind: type, reporting: Reporting, but: tuple[type, ...] = ()) -> list[Undo]:
        """Observe all clients of a class that are not observed by themselves, nor of the classes ``but``."""

        def where(client: Any) -> Reporting | None:
            is_left_out = reporting_of(client) is not None or isinstance(client, but)
            return None if is_left_out else reporting

        given: Any = kind
        is_async = inspect.iscoroutinefunction(given.request)
        undo = replace(given, "request", self.requesting(given.request, where))
        return [undo, *patch_keywords(self.resources, is_async=is_async)]

    def requesting(self, request: Any, where: Callable[[Any], Reporting | None]) -> Any:
        """Return ``request``, the method of a client's class, observed where ``where`` names somewhere."""
        if inspect.iscoroutinefunction(request):

            @wraps(request)
            async def request_later(
                client: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any
            ) -> Any:
                watch = self._watch(where, client, options, bool(kwargs.get("stream")))
                if watch is None:
                    return await request(client, cast_to, options, *args, **kwargs)
                try:
                    response = await request(client, cast_to, options, *args, **kwargs)
                except BaseException as error:
                    watch.observation.failed(error)
                    raise
                watch.returned(response, observe_async)
                return response

            return request_later

        @wraps(request)
        def request_now(client: Any, cast_to: Any, options: Any, **kwargs: Any) -> Any:
            watch = self._watch(where, client, options, bool(kwargs.get("stream")))
            if watch is None:
                return request(client, cast_to, options, **kwargs)
            try:
                response = request(client, cast_to, options, **kwargs)
            except BaseException as error:
                watch.observation.failed(error)
                raise
            watch.returned(response, observe_sync)
            return response

        return request_now

    def _copying(self, copy: Any) -> Any:
        @wraps(copy)
        def copy_observed(client: Any, *args: Any, **options: Any) -> Any:
            reporting = reporting_of(client)
            if reporting is None:
                return copy(client, *args, **options)
            own = {
                "amplitude": reporting.amplitude,
                "provider_name": reporting.provider,
                "amplitude_defaults": reporting.defaults,
            }
            extra = {**(options.pop("_extra_kwargs", None) or {}), **own}
            return copy(client, *args, **options, _extra_kwargs=extra)

        return copy_observed

    def _watch(
        self, where: Callable[[Any], Reporting | None], client: Any, options: Any, is_streaming: bool
    ) -> _Watch | None:
        """Begin to watch a call, if it is one of a model; its options lose what is ours."""
        with shielded(self.name):
            reporting = where(client)
            if reporting is None:
                return None
            headers, keywords = taken_from(options.headers)
            if keywords:
                options.headers = headers
            adapter = self.adapters.get(options.url.partition("?")[0])
            if adapter is None or options.method.lower() != "post" or not isinstance(options.json_data, dict):
                return None
            provider = reporting.provider or self.provider(client)
            payload = options.json_data
            observation = reporting.observe(adapter(provider), payload, keywords, is_streaming=is_streaming)
            if observation is None:
                return None
            if observation.propagates:
                options.headers = inject_context(dict(headers) if isinstance(headers, Mapping) else None)
            watch = _Watch(self, client, observation, is_raw=is_raw(headers))
            if is_streaming and not watch.is_raw:
                watch.hides = self.ask_for_usage(client, options)
            return watch
        return None


class _Watch:
    """One call on its way, and what to do with what comes back."""

    def __init__(self, vendor: Vendor, client: Any, observation: Observation, *, is_raw: bool) -> None:
        self.observation = observation
        self.hides: Hides | None = None
        self.is_raw = is_raw
        self._vendor = vendor
        self._client = client

    def returned(self, response: Any, observe: Callable[..., None]) -> None:
        """Take what the vendor's client returns: an answer, a stream, or a raw response."""
        with shielded(self._vendor.name):
            if self.is_raw:
                observe_raw(response, self.observation, observe, self._client._make_sse_decoder)
            elif not isinstance(response, self._vendor.streams):
                self.observation.returned(response)
            elif self.hides is None:
                observe(response, self.observation)
            else:
                observe(response, self.observation, self.hides)
