"""What holds for a whole process in a framework begins anew with each test; pages and projects leave it behind."""

from __future__ import annotations

import sys

import pytest

OURS = "amplitude_ai_integrations."


@pytest.fixture(autouse=True)
def _nobody_watches_llama_index() -> None:
    if "llama_index.core" not in sys.modules:
        return
    from llama_index.core import Settings
    from llama_index.core.callbacks import CallbackManager
    from llama_index.core.instrumentation import get_dispatcher

    nobody = CallbackManager([])
    nobody.set_handlers([])  # a new one has the handlers of the one that is set
    Settings.callback_manager = nobody
    root = get_dispatcher()
    root.event_handlers = [it for it in root.event_handlers if not type(it).__module__.startswith(OURS)]
    root.span_handlers = [it for it in root.span_handlers if not type(it).__module__.startswith(OURS)]
