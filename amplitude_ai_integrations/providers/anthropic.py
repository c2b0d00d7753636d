"""Anthropic's own clients, observed: https://platform.claude.com/docs/en/api/messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..calls.methods import Resource
from ..calls.replacing import Undo
from ..calls.reporting import Reporting
from ..calls.stainless import Vendor
from ..registry import PROVIDERS

try:
    import anthropic
except ImportError as error:
    raise PROVIDERS["anthropic"].missing() from error

from .anthropic_messages import Messages
from .anthropic_streams import let_observed_streams_count
from .gateways import gateway_at

if TYPE_CHECKING:
    from ..config import PrivacyConfig


def _classes(*names: str) -> tuple[type, ...]:
    """Return the classes of these names, and their asynchronous twins, that this version has."""
    both = [prefix + name for name in names for prefix in ("", "Async")]
    return tuple(getattr(anthropic, name) for name in both if hasattr(anthropic, name))


# https://platform.claude.com/docs/en/build-with-claude/claude-on-amazon-bedrock and its siblings
_PLATFORMS: Final = {
    "aws": _classes("AnthropicBedrock", "AnthropicBedrockMantle", "AnthropicAWS"),
    "azure": _classes("AnthropicFoundry"),
    "google": _classes("AnthropicVertex", "AnthropicGoogleCloud"),
}
_OWN: Final = (anthropic.Anthropic, anthropic.AsyncAnthropic)
_CLIENTS: Final = (*_OWN, *(kind for kinds in _PLATFORMS.values() for kind in kinds))


def _provider(client: Any) -> str:
    platform = next((name for name, kinds in _PLATFORMS.items() if isinstance(client, kinds)), None)
    return platform or gateway_at(client.base_url) or "anthropic"


let_observed_streams_count(anthropic.Stream, anthropic.AsyncStream)

_BETA: Final = ("create", "parse", "stream", "tool_runner", "thread")

VENDOR: Final = Vendor(
    "anthropic",
    {"/v1/messages": Messages},
    (anthropic.Stream, anthropic.AsyncStream),
    _provider,
    (
        Resource(("messages",), "anthropic.resources.messages", "Messages"),
        Resource(("beta", "messages"), "anthropic.resources.beta.messages", "Messages", _BETA),
        # The platforms have classes of their own that hold the same functions.
        Resource(("beta", "messages"), "anthropic.lib.bedrock._beta_messages", "Messages", _BETA),
        Resource(("beta", "messages"), "anthropic.lib.vertex._beta_messages", "Messages", _BETA),
    ),
)


@VENDOR.observed
class Anthropic(anthropic.Anthropic):
    """``anthropic.Anthropic`` whose calls become ``[Agent]`` events.

    Takes the vendor's own arguments besides ``amplitude`` (an ``AmplitudeAI`` or an ``Amplitude``; by default
    the only ``AmplitudeAI`` there is), ``provider_name`` (what the events say where the server is another
    vendor's and its address does not tell), ``content_mode``, ``privacy_mode``, ``privacy_config``,
    ``propagate_context`` and ``client`` (one that exists, to be observed and returned). Each call also takes
    ``amplitude_user_id``, ``amplitude_conversation_id``, ``amplitude_message_id`` and the like.
    """

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
            client: anthropic.Anthropic | None = None,
            **options: Any,
        ) -> None: ...


@VENDOR.observed
class AsyncAnthropic(anthropic.AsyncAnthropic):
    """``anthropic.AsyncAnthropic`` whose calls become ``[Agent]`` events; see ``Anthropic``."""

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
            client: anthropic.AsyncAnthropic | None = None,
            **options: Any,
        ) -> None: ...


def wrap_client(client: Any, amplitude: Any, defaults: Mapping[str, Any]) -> bool:
    """Observe a client that exists; ``False`` if it is none of this vendor's."""
    if not isinstance(client, _CLIENTS):
        return False
    VENDOR.adopt(VENDOR.become(client), amplitude, None, defaults)
    return True


def patch_anthropic(reporting: Reporting) -> list[Undo]:
    """Observe all clients of the vendor's classes, of its own API and of the clouds'."""
    return [undo for kind in _OWN for undo in VENDOR.patch(kind, reporting, also=_beside(kind))]


def _beside(kind: type) -> tuple[type, ...]:
    """Return the clouds' classes that are like one of the vendor's own and are not made of it."""
    is_async = kind is anthropic.AsyncAnthropic
    return tuple(
        each
        for each in _CLIENTS
        if not issubclass(each, _OWN) and each.__name__.startswith("Async") is is_async
    )
