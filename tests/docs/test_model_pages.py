"""The programs that speak to a model's vendor run as they stand, each against the fake of whom it speaks to."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from types import ModuleType
from typing import Any
from unittest.mock import patch
from weakref import WeakSet

import pytest

from amplitude_ai_integrations.client import default
from amplitude_ai_integrations.testing.checking import errors_kept_away
from tests.fakes.anthropic_server import AnthropicServer
from tests.fakes.azure_server import AzureServer
from tests.fakes.bedrock_server import BedrockServer
from tests.fakes.gateway_server import GatewayServer
from tests.fakes.gemini_server import GeminiServer
from tests.fakes.hosted_server import HostedServer
from tests.fakes.mistral_server import MistralServer
from tests.fakes.model_server import ModelServer
from tests.fakes.openai_server import OpenAIServer

from .blocks import PAGES as ALL
from .blocks import ROOT, Block, blocks_of


def _blocks(page: str) -> list[Block]:
    return [block for block in blocks_of(ROOT / "docs" / page) if block.mark == "models"]


PAGES = [page.name for page in ALL if _blocks(page.name)]
FAKES: dict[str, type[ModelServer]] = {
    "anthropic": AnthropicServer,
    "azure": AzureServer,
    "bedrock": BedrockServer,
    "gateways": GatewayServer,
    "gemini": GeminiServer,
    "hosted": HostedServer,
    "mistral": MistralServer,
    "openai": OpenAIServer,
}


@pytest.fixture(scope="module")
def addresses() -> Iterator[Mapping[str, str]]:
    with ExitStack() as stack:
        servers = {name: kind() for name, kind in FAKES.items()}
        for server in servers.values():
            stack.callback(server.stop)
        yield {name: server.address for name, server in servers.items()}


def _settings(page: str, addresses: Mapping[str, str]) -> Mapping[str, str]:
    """Return what a reader has set who follows a page: keys, and addresses, which lead to fakes."""
    keys = ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY")
    hosted = page == "by-hand.md"
    settings = {
        **dict.fromkeys((*keys, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "k"),
        "OPENAI_BASE_URL": addresses["hosted" if hosted else "openai"] + "/v1",
        "AZURE_OPENAI_ENDPOINT": addresses["azure"],
        "OPENAI_API_VERSION": "2024-10-21",
        "ANTHROPIC_BASE_URL": addresses["hosted" if hosted else "anthropic"],
        "GOOGLE_GEMINI_BASE_URL": addresses["gemini"],
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": addresses["bedrock"],
    }
    return {**settings, "HTTP_PROXY": addresses["gateways"]} if page == "gateways.md" else settings


@pytest.fixture
def _newcomer(monkeypatch: pytest.MonkeyPatch, swallowing: None) -> None:
    monkeypatch.setattr(default, "_clients", WeakSet())


@pytest.mark.usefixtures("_newcomer")
@pytest.mark.parametrize(
    "block",
    [block for page in PAGES for block in _blocks(page)],
    ids=lambda block: block.name,
)
def test_the_programs_of_the_pages_on_models(
    block: Block,
    addresses: Mapping[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program: Any = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", program)
    theirs = {name: value for name, value in os.environ.items() if not name.startswith("AMPLITUDE_")}
    settings = {**theirs, **_settings(block.page.name, addresses)}
    # The one client that no setting leads elsewhere.
    placed = f'Mistral(server_url="{addresses["mistral"]}", '
    block = block._replace(code=block.code.replace("Mistral(", placed))
    with (
        patch.dict(os.environ, settings, clear=True),
        warnings.catch_warnings(),
        errors_kept_away() as errors,
    ):
        warnings.filterwarnings("ignore", "The Assistants API is deprecated", DeprecationWarning)
        warnings.simplefilter("ignore", ResourceWarning)
        # OpenAI's client opens its socket in a way that the newest websockets talk it out of.
        warnings.filterwarnings("ignore", r"connect\(\) must be used", DeprecationWarning)
        block.run(program.__dict__)
        gc.collect()  # so that what a program of a page leaves open is found where it is expected
    assert "".join(capsys.readouterr()) == block.printed
    assert not errors
