"""A loopback server that takes events as Amplitude does and keeps them."""

from __future__ import annotations

import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


class Collector:
    """The application, what it received, and the status it answers with next."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.refused: list[dict[str, Any]] = []
        self.answers: list[int] = []
        self.app = Starlette(
            routes=[Route(path, self.take, methods=["POST"]) for path in ("/2/httpapi", "/batch")]
        )

    async def take(self, request: Request) -> JSONResponse:
        body = json.loads(await request.body())
        status = self.answers.pop(0) if self.answers else 200
        if status != 200:
            self.refused.append(body)
            return JSONResponse({"code": status, "error": "told to"}, status)
        self.bodies.append(body)
        return JSONResponse({"code": 200, "events_ingested": len(body["events"])})

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event received, in order."""
        return [event for body in self.bodies for event in body["events"]]
