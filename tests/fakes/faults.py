"""A loopback server of Amplitude's HTTP V2 and Batch API that misbehaves as planned, and keeps count."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

from .faults_answers import ok
from .faults_plan import Event, Plan, Reply, Request, Step

_LOOK = 0.02  # seconds between two looks at whether connections are to be refused
_LONGEST_HEAD = 1 << 16


class FaultServer:
    """What it received: accepted events by insert id, and how often each id came and was accepted."""

    def __init__(self, *steps: Step) -> None:
        self.events: dict[str, Event] = {}
        self.accepted: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()
        self.statuses: Counter[int | None] = Counter()  # `None` counts requests that got no answer
        self.paths: Counter[str] = Counter()
        self.keys: set[str] = set()
        self.connections = 0
        self.requests = 0
        self.errors: list[BaseException] = []
        self._plan = Plan(*steps) if steps else Plan(Step(ok))
        # Bound but never listening, it keeps the port ours while connections are refused.
        self._keeper = _bound(0)
        self.port = int(self._keeper.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    def plan(self, *steps: Step) -> None:
        """Do this from now on."""
        self._plan = Plan(*steps)

    @contextmanager
    def running(self) -> Iterator[FaultServer]:
        """Serve in a thread of its own; the server's own mistakes are raised at the end."""
        started = threading.Event()
        loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        thread = threading.Thread(target=loop.run_until_complete, args=(self._serve(started),), daemon=True)
        thread.start()
        try:
            assert started.wait(10), "the server did not start"
            yield self
        finally:
            loop.call_soon_threadsafe(self._stop.set)
            thread.join(10)
            loop.close()
            self._keeper.close()
        if self.errors:
            raise self.errors[0]

    async def _serve(self, started: threading.Event) -> None:
        while not self._stop.is_set():
            if self._plan.current() is None:
                await self._refuse()
            elif self._listener is None:
                self._listener = await asyncio.start_server(
                    self._connection, sock=_bound(self.port), backlog=512, limit=_LONGEST_HEAD
                )
            started.set()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _LOOK)
        await self._refuse()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _refuse(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for writer in self._open:
            writer.transport.abort()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        except Exception as error:  # noqa: BLE001 - raised where the server ends
            self.errors.append(error)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request, and tell whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
        }
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Request(head[0].split()[1], len(raw), _parsed(raw))
        answer = self._plan.take()
        reply = Reply(None) if answer is None else answer(request)
        self._note(request, reply)
        await asyncio.sleep(reply.delay)
        if reply.resets:
            option = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
            writer.transport.abort()
        if reply.status is None:
            return False
        whole = _response(reply)
        writer.write(whole[: len(whole) - reply.cut])
        await writer.drain()
        return not reply.cut and headers.get("connection", "").lower() != "close"

    def _note(self, request: Request, reply: Reply) -> None:
        self.requests += 1
        self.paths[request.path] += 1
        self.statuses[reply.status] += 1
        self.keys.add(request.payload["api_key"] if request.payload else "")
        ids = [event["insert_id"] for event in request.events]
        self.attempts.update(ids)
        if reply.takes:
            self.accepted.update(ids)
            self.events.update(zip(ids, request.events, strict=True))


def _bound(port: int) -> socket.socket:
    # With its protocol named, asyncio sends small answers at once (TCP_NODELAY).
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made


def _parsed(raw: bytes) -> dict[str, Any] | None:
    """Return a body, or ``None`` for what is no JSON: NaN and Infinity are none for Amplitude."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        body = json.loads(raw, parse_constant=refuse)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _response(reply: Reply) -> bytes:
    assert reply.status is not None
    is_html = isinstance(reply.body, bytes)
    body = reply.body if is_html else json.dumps(reply.body).encode()
    headers = {
        "Content-Type": "text/html" if is_html else "application/json",
        "Content-Length": str(len(body)),
        **reply.headers,
    }
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
