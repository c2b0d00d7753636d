"""The Flask door: an extension that lends each request of an app a session."""

from __future__ import annotations

try:
    import flask as _  # noqa: F401 - to say what is missing before the files below ask for it
except ImportError as error:
    raise ImportError(
        "amplitude_ai_integrations.flask needs Flask: pip install 'amplitude-ai-integrations[flask]'"
    ) from error

from .extension import AmplitudeAIFlask, AppState

__all__ = ["AmplitudeAIFlask", "AppState"]
