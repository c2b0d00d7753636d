"""The application as Django sees it."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class AmplitudeAIConfig(AppConfig):  # type: ignore[misc]  # Django carries no types
    """Registers the system checks; clients are made at the first request, in the process that serves it."""

    name = "amplitude_ai_integrations.django"
    label = "amplitude_ai"
    verbose_name = "Amplitude AI"

    def ready(self) -> None:
        """Register the checks, and what listens to Django's signals."""
        import_module(".checks", __package__)
        import_module(".middleware", __package__)
