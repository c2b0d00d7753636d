"""Azure OpenAI: the same APIs at addresses of their own."""

from __future__ import annotations

from typing import Any, ClassVar

import openai

from amplitude_ai_integrations.pricing.cost import Tokens
from amplitude_ai_integrations.providers import openai as ours

from ...fakes.azure_server import AzureServer
from ..expected import counted
from .openai import MODEL, OpenAI, apis


class Azure(OpenAI):
    """Azure's clients, of which each call names a deployment."""

    name = "azure"
    like = "openai"
    bare_kinds: ClassVar = {"sync": openai.AzureOpenAI, "async": openai.AsyncAzureOpenAI}
    swap_kinds: ClassVar = {"sync": ours.AzureOpenAI, "async": ours.AsyncAzureOpenAI}
    apis = apis("azure", {"provider": "azure", **counted(MODEL, "azure", Tokens(20, 7, 8), 3)})
    patches = (ours.patch_azure_openai,)

    def serve(self) -> AzureServer:
        return AzureServer()

    def options(self, fake: Any) -> dict[str, Any]:
        return {"api_key": "k", "azure_endpoint": fake.address, "api_version": "2024-10-21"}


AZURE = Azure()
