"""Amazon Bedrock through boto3, observed: https://docs.aws.amazon.com/bedrock/latest/APIReference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..calls.replacing import Undo, replace
from ..calls.reporting import SETTINGS, Reporting, report, reporting_of
from ..config import PrivacyConfig
from ..exceptions import ConfigurationError
from ..registry import PROVIDERS

try:
    import boto3  # type: ignore[import-untyped]
    from botocore.client import BaseClient  # type: ignore[import-untyped]
except ImportError as error:
    raise PROVIDERS["bedrock"].missing() from error

from .bedrock_calls import SERVICE, is_client, observing


class Bedrock:
    """A ``bedrock-runtime`` client of boto3's whose calls become ``[Agent]`` events.

    boto3 makes its clients' classes as it goes, so this stands before one: it has all that the client has.
    It takes ``boto3.client``'s own arguments besides ``amplitude`` (an ``AmplitudeAI`` or an ``Amplitude``;
    by default the only ``AmplitudeAI`` there is), what ``PrivacyConfig`` takes, ``propagate_context``,
    ``amplitude_defaults`` (what holds for calls outside any session), ``boto_config`` (a
    ``botocore.config.Config``) and ``client`` (one that exists, which is then observed itself).
    ``converse``, ``converse_stream``, ``invoke_model`` and ``invoke_model_with_response_stream`` also take
    ``amplitude_user_id``, ``amplitude_session_id``, ``amplitude_message_id`` and the like.

    Raises:
        ConfigurationError: ``client`` is no ``bedrock-runtime`` client of boto3's; or, of ``amplitude``, as
            for all observed clients.
    """

    def __init__(
        self,
        amplitude: Any = None,
        privacy_config: PrivacyConfig | None = None,
        *,
        region_name: str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        boto_config: Any = None,
        client: Any = None,
        amplitude_defaults: Mapping[str, Any] | None = None,
        **boto_options: Any,
    ) -> None:
        defaults = {**(amplitude_defaults or {}), "privacy_config": privacy_config}
        defaults.update({name: boto_options.pop(name) for name in SETTINGS if name in boto_options})
        if client is None:
            client = boto3.client(
                SERVICE,
                region_name=region_name,
                aws_access_key_id=aws_access_key_id,
                aws_secret_access_key=aws_secret_access_key,
                aws_session_token=aws_session_token,
                config=boto_config,
                **boto_options,
            )
        if not wrap_client(client, amplitude, defaults):
            name = f"{type(client).__module__}.{type(client).__qualname__}"
            raise ConfigurationError(f'client= is {name}; pass what boto3.client("{SERVICE}") returns.')
        self._client = client

    def __getattr__(self, name: str) -> Any:
        if name == "_client":  # not set yet, while this is being copied
            raise AttributeError(name)
        return getattr(self._client, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._client)})


def wrap_client(client: Any, amplitude: Any, defaults: Mapping[str, Any]) -> bool:
    """Observe a client that exists; ``False`` if it is none of this service's."""
    if not is_client(client):
        return False
    is_new = reporting_of(client) is None
    report(client, "bedrock", amplitude, None, defaults)
    if is_new:
        client.__class__ = _observed(type(client))
    return True


def patch_bedrock(reporting: Reporting) -> list[Undo]:
    """Observe all clients of the service, those that exist too."""

    def where(client: Any) -> Reporting | None:
        return None if reporting_of(client) is not None else reporting

    return [replace(BaseClient, "_make_api_call", observing(BaseClient._make_api_call, where))]


def _observed(kind: Any) -> type:
    """Return a subclass of a client's class whose calls are observed; boto3 makes a class for each client."""

    def make_api_call(client: Any, operation_name: str, api_params: Any) -> Any:
        return kind._make_api_call(client, operation_name, api_params)

    return type(
        kind.__name__,
        (kind,),
        {
            "__module__": kind.__module__,
            "__qualname__": kind.__qualname__,
            "__doc__": kind.__doc__,
            "_make_api_call": observing(make_api_call, reporting_of),
        },
    )
