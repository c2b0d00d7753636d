"""Importing the package imports nobody else, and every promised name is there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import amplitude_ai_integrations

VENDORS = "openai starlette fastapi uvicorn pydantic genai_prices httpx httpx2 jinja2 django flask"


@pytest.mark.parametrize(
    "program", ["import amplitude_ai_integrations", "from amplitude_ai_integrations import AmplitudeAI"]
)
def test_importing_us_imports_no_vendor_and_prints_nothing(program: str) -> None:
    check = f"{program}; import sys; print(sorted(set('{VENDORS}'.split()) & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", check], capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"
    assert run.stderr == ""


@pytest.mark.parametrize("name", amplitude_ai_integrations.__all__)
def test_every_name_is_importable(name: str) -> None:
    assert getattr(amplitude_ai_integrations, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        amplitude_ai_integrations.Nonsense  # noqa: B018


@pytest.mark.parametrize(
    "module",
    [
        "client",
        "config",
        "context",
        "propagation",
        "middleware",
        "wrappers",
        "exceptions",
        "providers.openai",
    ],
)
def test_the_specifications_modules_are_there(module: str) -> None:
    __import__(f"amplitude_ai_integrations.{module}")


def test_a_vendor_that_is_missing_is_said_with_the_command_that_installs_it() -> None:
    program = (
        "import sys; sys.modules['openai'] = None\n"
        "from amplitude_ai_integrations import ProviderError\n"
        "try: from amplitude_ai_integrations import AsyncOpenAI\n"
        "except ProviderError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == (
        "OpenAI needs the package openai>=1.68: pip install 'amplitude-ai-integrations[openai]'\n"
    )
