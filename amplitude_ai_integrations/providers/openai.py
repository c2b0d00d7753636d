"""OpenAI's own clients, observed: https://platform.openai.com/docs/api-reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ..calls.methods import Resource
from ..calls.replacing import Undo
from ..calls.reporting import Reporting
from ..calls.stainless import Vendor
from ..calls.streams import Hides
from ..registry import PROVIDERS

try:
    import openai
except ImportError as error:
    raise PROVIDERS["openai"].missing() from error

from .gateways import gateway_at
from .openai_chat import ChatCompletions
from .openai_completions import Completions
from .openai_embeddings import Embeddings
from .openai_responses import Compactions, Responses

# Asking for usage is safe where the server is the vendor's own; others may refuse what they do not know.
_COUNTS_ON_REQUEST: Final = ("api.openai.com", ".openai.azure.com")  # and their regional hosts
_COUNTED_ON_REQUEST: Final = ("/chat/completions", "/completions")
_AZURE: Final = (openai.AzureOpenAI, openai.AsyncAzureOpenAI)


def _provider(client: Any) -> str:
    return "azure" if isinstance(client, _AZURE) else gateway_at(client.base_url) or "openai"


def _ask_for_usage(client: Any, options: Any) -> Hides | None:
    """Ask a stream to count its tokens, unless the caller did, or it does so by itself."""
    given = {*options.json_data, *(getattr(options, "extra_json", None) or ())}
    is_asked = "stream_options" in given or options.url not in _COUNTED_ON_REQUEST
    if is_asked or not client.base_url.host.endswith(_COUNTS_ON_REQUEST):
        return None
    options.json_data = {**options.json_data, "stream_options": {"include_usage": True}}
    return _is_unasked


def _is_unasked(chunk: Any) -> bool:
    """Take from a chunk what is there only since we asked for usage; tell whether nothing else is in it."""
    if chunk.usage is None:
        chunk.model_fields_set.discard("usage")
        return False
    return not chunk.choices


VENDOR: Final = Vendor(
    "openai",
    {
        "/chat/completions": ChatCompletions,
        "/completions": Completions,
        "/responses": Responses,
        "/responses/compact": Compactions,
        "/embeddings": Embeddings,
    },
    (openai.Stream, openai.AsyncStream),
    _provider,
    (
        Resource(("chat", "completions"), "openai.resources.chat.completions", "Completions"),
        Resource(("beta", "chat", "completions"), "openai.resources.beta.chat.completions", "Completions"),
        Resource(("completions",), "openai.resources.completions", "Completions", ("create",)),
        Resource(
            ("responses",),
            "openai.resources.responses",
            "Responses",
            ("create", "parse", "stream", "compact"),
        ),
        Resource(("embeddings",), "openai.resources.embeddings", "Embeddings"),
    ),
    _ask_for_usage,
)


@VENDOR.observed
class OpenAI(openai.OpenAI):
    """``openai.OpenAI`` whose calls become ``[Agent]`` events.

    Takes the vendor's own arguments besides ``amplitude`` (an ``AmplitudeAI`` or an ``Amplitude``; by default
    the only ``AmplitudeAI`` there is), ``provider_name`` (what the events say where the server is another
    vendor's and its address does not tell), ``content_mode``, ``privacy_mode`` or ``privacy_config`` (what of
    its calls may leave), ``propagate_context`` and ``client`` (one that exists, to be observed and returned).
    Each call also takes ``amplitude_user_id``, ``amplitude_conversation_id``, ``amplitude_message_id`` and
    the like.
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            amplitude: Any = None,
            *,
            provider_name: str | None = None,
            client: openai.OpenAI | None = None,
            **options: Any,
        ) -> None: ...


@VENDOR.observed
class AsyncOpenAI(openai.AsyncOpenAI):
    """``openai.AsyncOpenAI`` whose calls become ``[Agent]`` events; see ``OpenAI``."""

    if TYPE_CHECKING:

        def __init__(
            self,
            amplitude: Any = None,
            *,
            provider_name: str | None = None,
            client: openai.AsyncOpenAI | None = None,
            **options: Any,
        ) -> None: ...


@VENDOR.observed
class AzureOpenAI(openai.AzureOpenAI):
    """``openai.AzureOpenAI`` whose calls become ``[Agent]`` events; see ``OpenAI``."""

    if TYPE_CHECKING:

        def __init__(
            self,
            amplitude: Any = None,
            *,
            provider_name: str | None = None,
            client: openai.AzureOpenAI | None = None,
            **options: Any,
        ) -> None: ...


@VENDOR.observed
class AsyncAzureOpenAI(openai.AsyncAzureOpenAI):
    """``openai.AsyncAzureOpenAI`` whose calls become ``[Agent]`` events; see ``OpenAI``."""

    if TYPE_CHECKING:

        def __init__(
            self,
            amplitude: Any = None,
            *,
            provider_name: str | None = None,
            client: openai.AsyncAzureOpenAI | None = None,
            **options: Any,
        ) -> None: ...


def wrap_client(client: Any, amplitude: Any, defaults: Mapping[str, Any]) -> bool:
    """Observe a client that exists; ``False`` if it is none of this vendor's."""
    if not isinstance(client, (openai.OpenAI, openai.AsyncOpenAI)):
        return False
    VENDOR.adopt(VENDOR.become(client), amplitude, None, defaults)
    return True


def patch_openai(reporting: Reporting) -> list[Undo]:
    """Observe all clients of ``openai.OpenAI``, but Azure's."""
    return VENDOR.patch(openai.OpenAI, reporting, but=_AZURE)


def patch_async_openai(reporting: Reporting) -> list[Undo]:
    """Observe all clients of ``openai.AsyncOpenAI``, but Azure's."""
    return VENDOR.patch(openai.AsyncOpenAI, reporting, but=_AZURE)


def patch_azure_openai(reporting: Reporting) -> list[Undo]:
    """Observe all clients of ``openai.AzureOpenAI`` and ``openai.AsyncAzureOpenAI``."""
    return [undo for kind in _AZURE for undo in VENDOR.patch(kind, reporting)]
