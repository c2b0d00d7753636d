"""Extensions, made once and set up for each application."""

from __future__ import annotations

from flask_login import LoginManager  # type: ignore[import-untyped]  # it carries no types

from amplitude_ai_integrations.flask import AmplitudeAIFlask

login = LoginManager()
login.login_view = "people.door"
tracking = AmplitudeAIFlask()
