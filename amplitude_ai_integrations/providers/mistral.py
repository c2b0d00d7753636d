"""Mistral's own client, observed: https://docs.mistral.ai/api."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..calls.replacing import Undo
from ..calls.reporting import SETTINGS, Reporting, report, reporting_of
from ..config import PrivacyConfig
from ..exceptions import shielded
from ..registry import PROVIDERS

if TYPE_CHECKING:
    from mistralai.client import Mistral as _Mistral
else:
    try:
        from mistralai.client import Mistral as _Mistral
    except ImportError:
        try:
            from mistralai import Mistral as _Mistral  # before version 2
        except ImportError as error:
            raise PROVIDERS["mistral"].missing() from error

from .mistral_calls import observe_resources, patch_resources

Kind = TypeVar("Kind", bound=type)

_HOSTED: Final = {"MistralAzure", "MistralGCP"}  # its clients for others' clouds, which are slow to import
_PACKAGE: Final = _Mistral.__module__.rpartition(".")[0]


def _observed(kind: Kind) -> Kind:
    """Make a subclass of a client class observe its instances' resources as they are made.

    Older versions make them all with the client, and have no method for it.
    """
    given: Any = kind
    make: Any = getattr(given.__base__, "__getattr__", None)

    def get(client: Any, name: str) -> Any:
        found = make(client, name)
        with shielded("mistral"):
            observe_resources(client)
        return found

    if make is not None:
        given.__getattr__ = get
    return kind


@_observed
class Mistral(_Mistral):
    """``mistralai``'s ``Mistral`` whose calls become ``[Agent]`` events.

    Takes the vendor's own arguments besides ``amplitude`` (an ``AmplitudeAI`` or an ``Amplitude``; by default
    the only ``AmplitudeAI`` there is), ``provider_name`` (what the events say where the server is another
    vendor's), ``content_mode``, ``privacy_mode``, ``privacy_config`` and ``propagate_context`` (see
    ``Reporting``), and, as ``client``, a ``Mistral`` that exists, to be observed and returned. Each call also
    takes ``amplitude_user_id``, ``amplitude_session_id``, ``amplitude_message_id`` and the like.
    """

    def __new__(cls, *args: Any, **options: Any) -> Any:
        client = options.get("client")
        if not isinstance(client, _Mistral):
            return super().__new__(cls)
        _observe(client, *_said(*args, **options))
        return client

    if TYPE_CHECKING:

        def __init__(
            self,
            amplitude: Any = None,
            *,
            provider_name: str | None = None,
            content_mode: str | None = None,
            privacy_mode: bool = False,
            privacy_config: PrivacyConfig | None = None,
            propagate_context: bool | None = None,
            amplitude_defaults: Mapping[str, Any] | None = None,
            **options: Any,
        ) -> None: ...

    else:

        def __init__(self, *args: Any, **options: Any) -> None:
            if isinstance(options.get("client"), _Mistral):
                return
            super().__init__(**{name: value for name, value in options.items() if name not in _OURS})
            _observe(self, *_said(*args, **options))


def wrap_client(client: Any, amplitude: Any, defaults: Mapping[str, Any]) -> bool:
    """Observe a client that exists, of any cloud; ``False`` if it is none of this vendor's."""
    names = {kind.__name__ for kind in type(client).__mro__ if kind.__module__.startswith("mistralai.")}
    if not isinstance(client, _Mistral) and not names & _HOSTED:
        return False
    _observe(client, amplitude, None, defaults)
    return True


def patch_mistral(reporting: Reporting) -> list[Undo]:
    """Observe all clients that are not observed by themselves, those that exist too."""
    return patch_resources(_PACKAGE, reporting)


def _observe(client: Any, amplitude: Any, provider: str | None, defaults: Mapping[str, Any]) -> None:
    """Make a client report to ``amplitude``: the same object, of a subclass of its class.

    Raises:
        ConfigurationError: As ``report``.
    """
    is_new = reporting_of(client) is None
    report(client, "mistral", amplitude, provider, defaults)
    if is_new:
        kind: Any = type(client)
        client.__class__ = _twin(kind)
    observe_resources(client)


@cache
def _twin(kind: Any) -> Any:
    if issubclass(kind, Mistral):
        return kind
    if kind is _Mistral:
        return Mistral
    same = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return _observed(type(kind.__name__, (kind,), same))


def _said(
    amplitude: Any = None,
    *,
    provider_name: str | None = None,
    amplitude_defaults: Mapping[str, Any] | None = None,
    **options: Any,
) -> tuple[Any, str | None, Mapping[str, Any]]:
    """Return what the arguments of a constructor say that is ours."""
    settings: dict[str, Any] = {name: options[name] for name in SETTINGS if name in options}
    return amplitude, provider_name, {**(amplitude_defaults or {}), **settings}


_OURS: Final = {"amplitude", "provider_name", "amplitude_defaults", *SETTINGS}
