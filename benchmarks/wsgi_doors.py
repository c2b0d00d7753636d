"""The WSGI and Flask doors over the bare application, when no agent speaks."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from flask import Flask
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware

from amplitude_ai_integrations.flask import AmplitudeAIFlask
from amplitude_ai_integrations.middleware import AmplitudeAIWSGIMiddleware
from benchmarks.measure import compare
from benchmarks.peers import PROVIDER
from benchmarks.silence import ai

REQUESTS = 1_000
ENVIRON = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/",
    "QUERY_STRING": "",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "HTTP_HOST": "localhost",
    "HTTP_USER_AGENT": "bench",
    "wsgi.url_scheme": "http",
}


def plain(environ: Any, start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


def flask() -> Flask:
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: "ok")
    return app


def requests(app: Any) -> Callable[[int], None]:
    def start_response(status: str, headers: Any, exc_info: Any = None) -> None:
        assert status == "200 OK"

    def run(count: int) -> None:
        for _ in range(count):
            body = app({**ENVIRON, "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO()}, start_response)
            b"".join(body)
            close = getattr(body, "close", None)
            if close is not None:
                close()

    return run


def main() -> None:
    compare(
        "A request in which no agent speaks",
        {
            "plain WSGI, bare": requests(plain),
            "plain WSGI, our middleware": requests(AmplitudeAIWSGIMiddleware(plain, amplitude_ai=ai)),
            "plain WSGI, OpenTelemetry": requests(OpenTelemetryMiddleware(plain, tracer_provider=PROVIDER)),
        },
        REQUESTS * 5,
    )
    ours, theirs = flask(), flask()
    AmplitudeAIFlask(ours, amplitude_ai=ai)
    FlaskInstrumentor.instrument_app(theirs, tracer_provider=PROVIDER)
    compare(
        "A request in which no agent speaks",
        {
            "Flask, bare": requests(flask()),
            "Flask, our extension": requests(ours),
            "Flask, OpenTelemetry": requests(theirs),
        },
        REQUESTS,
    )


if __name__ == "__main__":
    main()
