"""Gemini through google-genai, observed: https://googleapis.github.io/python-genai/."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any

from ..calls.replacing import Undo, replace
from ..calls.reporting import Reporting, report, reporting_of
from ..config import PrivacyConfig
from ..exceptions import ConfigurationError, shielded
from ..registry import PROVIDERS

try:
    from google import genai
    from google.genai import chats, models
    from google.genai.client import AsyncClient
except ImportError as error:
    raise PROVIDERS["gemini"].missing() from error

from .gemini_calls import methods_of_chats, methods_of_models, note_reporting, own_reporting
from .gemini_public import looking_the_same


class Gemini:
    """One model of Google's whose calls become ``[Agent]`` events.

    This stands before a ``google.genai.Client`` and has all that the client has: ``models``, ``aio``,
    ``chats`` and so on, observed too. It takes the client's own arguments besides ``amplitude`` (an
    ``AmplitudeAI`` or an ``Amplitude``; by default the only ``AmplitudeAI`` there is), ``model_name``,
    ``content_mode``, ``privacy_mode``, ``privacy_config`` and ``propagate_context`` (see ``Reporting``), and
    ``client`` (one that exists, which is then observed itself). Each call also takes ``amplitude_user_id``,
    ``amplitude_session_id``, ``amplitude_message_id`` and the like.

    Raises:
        ConfigurationError: ``client`` is no ``google.genai.Client``; or, of ``amplitude``, as for all
            observed clients.
    """

    def __init__(
        self,
        amplitude: Any = None,
        api_key: str | None = None,
        model_name: str = "gemini-2.5-flash",
        *,
        content_mode: str | None = None,
        privacy_mode: bool = False,
        privacy_config: PrivacyConfig | None = None,
        propagate_context: bool | None = None,
        amplitude_defaults: Mapping[str, Any] | None = None,
        client: genai.Client | None = None,
        **options: Any,
    ) -> None:
        if client is None:
            client = genai.Client(api_key=api_key, **options)
        settings = {
            "content_mode": content_mode,
            "privacy_mode": privacy_mode or None,
            "privacy_config": privacy_config,
            "propagate_context": propagate_context,
        }
        own = {name: value for name, value in settings.items() if value is not None}
        if not wrap_client(client, amplitude, {**(amplitude_defaults or {}), **own}):
            name = f"{type(client).__module__}.{type(client).__qualname__}"
            raise ConfigurationError(f"client= is {name}; pass a google.genai.Client.")
        self._client = client  # with it the connection would go
        self.model_name = model_name

    def generate_content(
        self, contents: Any, *, model: str | None = None, config: Any = None, stream: bool = False, **own: Any
    ) -> Any:
        """Ask the model, and return its answer, or with ``stream`` a generator of its chunks."""
        ask = self._client.models.generate_content_stream if stream else self._client.models.generate_content
        return ask(model=model or self.model_name, contents=contents, config=config, **own)

    def generate_content_stream(
        self, contents: Any, *, model: str | None = None, config: Any = None, **own: Any
    ) -> Any:
        """Ask the model, and return a generator of the chunks of its answer."""
        return self.generate_content(contents, model=model, config=config, stream=True, **own)

    async def generate_content_async(
        self, contents: Any, *, model: str | None = None, config: Any = None, stream: bool = False, **own: Any
    ) -> Any:
        """Do the same in a coroutine; with ``stream`` it returns an asynchronous generator."""
        asked = self._client.aio.models
        ask: Any = asked.generate_content_stream if stream else asked.generate_content
        return await ask(model=model or self.model_name, contents=contents, config=config, **own)

    def __enter__(self) -> Gemini:
        return self

    def __exit__(self, *_given: object) -> None:
        close = getattr(self._client, "close", None)  # older clients hold nothing open
        if close is not None:
            close()

    def __getattr__(self, name: str) -> Any:
        if name == "_client":  # not set yet, while this is being copied
            raise AttributeError(name)
        return getattr(self._client, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._client)})


def wrap_client(client: Any, amplitude: Any, defaults: Mapping[str, Any]) -> bool:
    """Observe a client that exists, or the ``aio`` of one; ``False`` if it is none of Google's."""
    if not isinstance(client, (genai.Client, AsyncClient)):
        return False
    report(client, "gemini", amplitude, None, defaults)
    reporting = reporting_of(client)
    if reporting is not None:
        for half in (client, client.aio) if isinstance(client, genai.Client) else (client,):
            _observe(half, reporting)
    return True


def patch_gemini(reporting: Reporting) -> list[Undo]:
    """Observe all clients that are not observed by themselves, those that exist too."""

    def where(of: Any) -> Reporting | None:
        return reporting if own_reporting(of) is None else None

    changes: list[tuple[Any, dict[str, Any]]] = [
        *((kind, methods_of_models(kind, where)) for kind in (models.Models, models.AsyncModels)),
        *((kind, methods_of_chats(kind, where)) for kind in (chats.Chat, chats.AsyncChat)),
    ]
    return [replace(kind, name, method) for kind, methods in changes for name, method in methods.items()]


def _observe(half: Any, reporting: Reporting) -> None:
    """Observe the calls of a client's synchronous or asynchronous half: the same objects, of subclasses."""
    own: Any = half.models
    if own_reporting(own) is None:
        _become(own, _observed_models)
        _become(half, _with_chats)
    note_reporting(own, reporting)


def _become(value: Any, observed: Callable[[Any], Any]) -> None:
    kind: Any = type(value)
    value.__class__ = observed(kind)


@cache
def _observed_models(kind: Any) -> Any:
    return looking_the_same(kind, methods_of_models(kind, own_reporting))


@cache
def _observed_chat(kind: Any) -> Any:
    return looking_the_same(kind, methods_of_chats(kind, own_reporting))


@cache
def _with_chats(kind: Any) -> Any:
    """Return a subclass of the class of a client's half whose chats are observed; they are made each time."""

    def observed_chats(half: Any) -> Any:
        made = kind.chats.__get__(half)
        with shielded("gemini"):
            _become(made, _observed_chats)
        return made

    return looking_the_same(kind, {"chats": property(observed_chats)})


@cache
def _observed_chats(kind: Any) -> Any:
    @wraps(kind.create)
    def create(made: Any, **given: Any) -> Any:
        chat = kind.create(made, **given)
        with shielded("gemini"):
            _become(chat, _observed_chat)
        return chat

    return looking_the_same(kind, {"create": create})
