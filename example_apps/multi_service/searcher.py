"""The service behind: it trusts the headers of the one in front, and so works in its session and trace."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, Request, Response, request

from amplitude_ai_integrations import AIConfig, AmplitudeAI, tool
from amplitude_ai_integrations.flask import AmplitudeAIFlask
from example_apps.fastapi_chat.trains import find_trains

ai = AmplitudeAI(config=AIConfig(propagate_context=True))


def user_served(request: Request) -> str | None:
    """The user never travels by itself; this service lets the one in front say it, as nobody else gets in."""
    return request.headers.get("x-user")


app = Flask(__name__)
AmplitudeAIFlask(app, amplitude_ai=ai, agent_id="searcher", user_id_resolver=user_served)


@tool(name="timetable", amplitude=ai)
def timetable(origin: str, destination: str) -> list[Any]:
    """Look up trains; each call is a Tool Call of this agent's."""
    return list(find_trains(origin, destination))


@app.get("/")
def ready() -> dict[str, str]:
    """Say that the service is up."""
    return {"service": "searcher"}


@app.post("/trains")
def trains() -> Response:
    """Return the trains that a model asked for; what is wrong with its words goes back to it."""
    try:
        found: Any = timetable(**json.loads(request.get_data()))
    except (AttributeError, TypeError, ValueError) as error:
        found = {"error": str(error)}
    return Response(json.dumps(found), mimetype="application/json")
