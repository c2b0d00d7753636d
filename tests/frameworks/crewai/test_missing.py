"""Where CrewAI is not installed."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from amplitude_ai_integrations.exceptions import ProviderError


@pytest.mark.skipif(find_spec("crewai") is not None, reason="it is installed")
def test_it_says_how_to_install_it() -> None:
    with pytest.raises(ProviderError, match=r"pip install 'amplitude-ai-integrations\[crewai\]'"):
        import amplitude_ai_integrations.frameworks.crewai  # noqa: F401
