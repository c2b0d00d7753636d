"""A loopback collector: takes OTLP over HTTP as a real one does, in protobuf, and keeps the spans."""

from __future__ import annotations

import gzip
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass
class ReceivedSpan:
    """One span, as a back end has it."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str | None
    kind: str
    started: int
    ended: int
    attributes: dict[str, Any]
    status: str
    message: str
    scope: str
    resource: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    def json(self, attribute: str) -> Any:
        """Return what an attribute that is JSON says."""
        return json.loads(self.attributes[attribute])


class OTLPServer:
    """The server, what it received, and the statuses it answers with next."""

    def __init__(self) -> None:
        self.spans: list[ReceivedSpan] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[int] = []
        self.held = threading.Event()
        self.held.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer._take(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> OTLPServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.held.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["content-length"]))
        self.held.wait(30)
        status = self.answers.pop(0) if self.answers else 200
        if request.path != "/v1/traces" or request.headers["content-type"] != "application/x-protobuf":
            status = 404
        if status == 200:
            if request.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            self.headers.append({name.lower(): value for name, value in request.headers.items()})
            self.spans += _spans(ExportTraceServiceRequest.FromString(body))
        answer = ExportTraceServiceResponse().SerializeToString()
        request.send_response(status)
        request.send_header("content-type", "application/x-protobuf")
        request.send_header("content-length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)

    def named(self, name: str) -> ReceivedSpan:
        """Return the only span of this name."""
        (span,) = [span for span in self.spans if span.name == name]
        return span

    def tree(self) -> list[str]:
        """Return the spans by name, each under its parent and indented; by time, and by name at one time."""
        known = {span.span_id for span in self.spans}
        assert len(known) == len(self.spans), "a span was told twice"

        def lines(parent: str | None, depth: int) -> list[str]:
            here = [
                span
                for span in self.spans
                if span.parent_id == parent or (parent is None and span.parent_id not in known)
            ]
            here.sort(key=lambda span: (span.ended, span.name))
            return [
                line
                for span in here
                for line in (
                    "  " * depth + ("? " if span.parent_id and depth == 0 else "") + span.name,
                    *lines(span.span_id, depth + 1),
                )
            ]

        return lines(None, 0)


def _spans(request: ExportTraceServiceRequest) -> list[ReceivedSpan]:
    return [
        ReceivedSpan(
            span.name,
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex() or None,
            type(span).SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
            span.start_time_unix_nano,
            span.end_time_unix_nano,
            _attributes(span.attributes),
            type(span.status).StatusCode.Name(span.status.code).removeprefix("STATUS_CODE_"),
            span.status.message,
            scope.scope.name,
            _attributes(group.resource.attributes),
            [(event.name, _attributes(event.attributes)) for event in span.events],
            [link.span_id.hex() for link in span.links],
        )
        for group in request.resource_spans
        for scope in group.scope_spans
        for span in scope.spans
    ]


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, kind) if kind else None
