"""The application factory. What Agent Analytics needs of it is `tracking` and `OpenAI(amplitude=...)`."""

from __future__ import annotations

import os
import secrets

from flask import Flask

from amplitude_ai_integrations import OpenAI
from example_apps.flask_chat import chat, people
from example_apps.flask_chat.extensions import login, tracking


def create_app() -> Flask:
    """Return the application; where events go is told by AMPLITUDE_AI_API_KEY or AMPLITUDE_AI_SERVER_URL."""
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY=os.environ.get("SECRET_KEY") or secrets.token_hex(),
        AMPLITUDE_AI_AGENT_ID="travel-guide",
        AMPLITUDE_AI_SESSION_ID_RESOLVER=chat.conversation_of,
    )
    login.init_app(app)
    tracking.init_app(app)  # the user of an event is Flask-Login's
    with app.app_context():
        app.extensions["model"] = OpenAI(amplitude=tracking.client)  # reads OPENAI_API_KEY, OPENAI_BASE_URL
    app.register_blueprint(people.blueprint)
    app.register_blueprint(chat.blueprint)
    return app
