"""The clients of OpenAI and Anthropic, which come out of one generator and are alike inside.

Every call passes ``client.request``, whichever public method made it: ``create``, ``parse``, ``stream``, raw
and streaming responses, copies by ``with_options``. That is where calls are observed. A client that is
observed by itself is of a subclass of its own class; ``patch`` puts the same function into the class.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

from ..config import PrivacyConfig
from ..exceptions import shielded
from ..propagation import inject_context
from .covering import takes_cover
from .facts import Adapter
from .followed import observe_async, observe_sync
from .keywords import taken_from
from .methods import Resource, patch_keywords, with_keywords
from .observation import Observation
from .raw import is_raw, observe_raw
from .replacing import Undo, replace
from .reporting import Reporting, report, reporting_of
from .streams import Hides

Kind = TypeVar("Kind", bound=type)
# Of the client that is being copied.
_original: ContextVar[Reporting | None] = ContextVar("amplitude_original", default=None)


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
        events, where the client's class and address do not tell), ``content_mode``, ``privacy_mode``,
        ``privacy_config`` and ``propagate_context`` (see ``Reporting``), ``amplitude_defaults`` (what holds
        for calls outside any session), and ``client``: one that exists, which is then observed and returned.
        """
        given: Any = kind
        base = given.__base__
        self.twins[base] = self.twins[given] = given
        given.request = self.requesting(base.request, reporting_of)
        given.copy = given.with_options = self._copying(given)

        def new(cls: Any, *args: Any, client: Any = None, **options: Any) -> Any:
            if client is None:
                return base.__new__(cls)
            observed = self.become(client)
            if not isinstance(observed, cls):  # which then is not initialised by itself
                type(observed).__init__(observed, *args, client=client, **options)
            return observed

        def init(
            self_: Any,
            amplitude: Any = None,
            *,
            provider_name: str | None = None,
            content_mode: str | None = None,
            privacy_mode: bool = False,
            privacy_config: PrivacyConfig | None = None,
            propagate_context: bool | None = None,
            amplitude_defaults: Mapping[str, Any] | None = None,
            client: Any = None,
            **options: Any,
        ) -> None:
            settings = {
                "content_mode": content_mode,
                "privacy_mode": privacy_mode or None,
                "privacy_config": privacy_config,
                "propagate_context": propagate_context,
            }
            own = {name: value for name, value in settings.items() if value is not None}
            if client is None:
                with _as_plain(self_, given):
                    base.__init__(self_, **options)
            original = _original.get()
            if original is not None:
                amplitude = original.amplitude if amplitude is None else amplitude
                provider_name = provider_name or original.provider
                own = {**original.defaults, **(amplitude_defaults or {}), **own}
            self.adopt(self_, amplitude, provider_name, {**(amplitude_defaults or {}), **own})

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

    def patch(
        self, kind: type, reporting: Reporting, but: tuple[type, ...] = (), also: tuple[type, ...] = ()
    ) -> list[Undo]:
        """Observe all clients of a class that are not observed by themselves, nor of the classes ``but``.

        ``also`` are classes beside it whose methods are of the same resources.
        """

        def where(client: Any) -> Reporting | None:
            is_left_out = reporting_of(client) is not None or isinstance(client, but)
            return None if is_left_out else reporting

        kinds: tuple[Any, ...] = (kind, *also)
        undos = [replace(each, "request", self.requesting(each.request, where)) for each in kinds]
        is_async = inspect.iscoroutinefunction(kinds[0].request)
        return [*undos, *patch_keywords(self.resources, is_async=is_async)]

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
        def request_now(client: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
            watch = self._watch(where, client, options, bool(kwargs.get("stream")))
            if watch is None:
                return request(client, cast_to, options, *args, **kwargs)
            try:
                response = request(client, cast_to, options, *args, **kwargs)
            except BaseException as error:
                watch.observation.failed(error)
                raise
            watch.returned(response, observe_sync)
            return response

        return request_now

    def _copying(self, given: Any) -> Any:
        """Return ``copy`` of an observed class, whose copies are observed as the client is."""
        base = given.__base__

        @wraps(base.copy)
        def copy_observed(client: Any, *args: Any, **options: Any) -> Any:
            reporting = reporting_of(client)
            if reporting is None:
                return base.copy(client, *args, **options)
            if type(client) is not given:  # a program's own class, with a constructor of its own
                token = _original.set(reporting)
                try:
                    return base.copy(client, *args, **options)
                finally:
                    _original.reset(token)
            copied = base.copy(_plain(client, base), *args, **options)
            with shielded(self.name):
                if isinstance(copied, base):
                    self.adopt(
                        self.become(copied), reporting.amplitude, reporting.provider, reporting.defaults
                    )
            return copied

        return copy_observed

    def _watch(
        self, where: Callable[[Any], Reporting | None], client: Any, options: Any, is_streaming: bool
    ) -> _Watch | None:
        """Begin to watch a call, if it is one of a model; its options lose what is ours."""
        with shielded(self.name):
            headers, keywords = taken_from(options.headers)
            if headers is not options.headers:
                options.headers = headers
            reporting = where(client)
            if reporting is None:
                return None
            adapter = self.adapters.get(options.url.partition("?")[0])
            if adapter is None or options.method.lower() != "post" or not isinstance(options.json_data, dict):
                return None
            provider = reporting.provider or self.provider(client)
            more = getattr(options, "extra_json", None)
            payload = {**options.json_data, **more} if more else options.json_data
            if takes_cover(payload):
                return None
            observation = reporting.observe(adapter(provider), payload, keywords, is_streaming=is_streaming)
            if observation is None:
                return None
            if observation.propagates:
                options.headers = _with_context(client, headers)
            _see_before_it_is_parsed(options, observation)
            watch = _Watch(self, client, observation, is_raw=is_raw(headers))
            if is_streaming and not watch.is_raw:
                watch.hides = self.ask_for_usage(client, options)
            return watch
        return None


@contextmanager
def _as_plain(client: Any, observed: Any) -> Iterator[None]:
    """Let a client of an observed class be of the vendor's own while it is made.

    Some of what the vendor does, such as looking for credentials, depends on that.
    """
    if type(client) is not observed:
        yield
        return
    client.__class__ = observed.__base__
    try:
        yield
    finally:
        client.__class__ = observed


def _plain(client: Any, kind: Any) -> Any:
    """Return a client of the vendor's own class that is like this one."""
    plain = object.__new__(kind)
    vars(plain).update(vars(client))
    return plain


def _with_context(client: Any, headers: Any) -> dict[str, Any]:
    """Return a call's headers with session, trace and agent; what the caller set, also for all calls of a
    client, stays.
    """
    given = dict(headers) if isinstance(headers, Mapping) else {}
    of_client = {name: value for name, value in client.default_headers.items() if name not in given}
    added = inject_context({**of_client, **given})
    return {**given, **{name: value for name, value in added.items() if name not in of_client}}


def _see_before_it_is_parsed(options: Any, observation: Observation) -> None:
    """Let an answer be seen that ``parse()`` then refuses: it was given, and is paid for."""
    parse = getattr(options, "post_parser", None)
    if not callable(parse):
        return

    def seeing(response: Any) -> Any:
        observation.came(response)
        return parse(response)

    options.post_parser = seeing


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
            elif not issubclass(type(response), self._vendor.streams):  # `isinstance` may be the vendor's own
                self.observation.returned(response)
            elif self.hides is None:
                observe(response, self.observation)
            else:
                observe(response, self.observation, self.hides)
