"""Visits to one running server, and the events that came of each."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import connect

from tests.web.reading import Expected, told

DEVICE = "X-Amp-Device-Id"


class Visitor:
    """Somebody at one door, told from all others by the device that its events carry."""

    def __init__(self, running: Running, door: str) -> None:
        self.running, self.door = running, door
        self.device = f"device-{uuid.uuid4()}"

    def get(self, path: str, method: str = "GET", timeout: float = 10, **headers: str) -> httpx.Response:
        url = f"{self.running.url}/{self.door}{path}"
        sent = {DEVICE: self.device, **headers}
        return self.running.client.request(method, url, headers=sent, timeout=timeout)

    def chat(self, *texts: str) -> list[str]:
        url = f"{self.running.url}/{self.door}/chat".replace("http", "ws", 1)
        with connect(url, additional_headers={DEVICE: self.device}) as connection:
            answers = []
            for text in texts:
                connection.send(text)
                answers.append(str(connection.recv(timeout=5)))
        return answers

    def leave_while_reading(self, path: str) -> None:
        """Visit as a browser does whose tab is closed while the answer streams in."""
        where = httpx.URL(self.running.url)
        head = f"GET /{self.door}{path} HTTP/1.1\r\nHost: {where.host}\r\n{DEVICE}: {self.device}\r\n\r\n"
        with socket.create_connection((where.host, where.port or 80), timeout=5) as visitor:
            visitor.sendall(head.encode())
            received = b""
            while b"more" not in received:
                received += visitor.recv(4096)

    def expected(self, session: str = "session 1") -> Expected:
        expected = Expected(session)
        expected.around = {"device_id": self.device}
        return expected

    def events(self, count: int) -> list[dict[str, Any]]:
        """Return this visitor's events, once there are as many as expected; later ones the server's end finds."""
        self.running.claimed[self.device] += count
        return told(self.running.wait_for(self.device, count))


class Running:
    """A server, the file its events are in, and how many of them were expected."""

    def __init__(self, url: str, events: Path) -> None:
        self.url, self._file = url, events
        self.claimed: Counter[str] = Counter()
        limits = httpx.Limits(max_keepalive_connections=0)
        self.client = httpx.Client(limits=limits)

    def all_events(self) -> list[dict[str, Any]]:
        lines = self._file.read_text().split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def wait_for(self, device: str, count: int) -> list[dict[str, Any]]:
        deadline = time.monotonic() + 10
        while True:
            own = [event for event in self.all_events() if event.get("device_id") == device]
            if len(own) >= count or time.monotonic() > deadline:
                return own
            time.sleep(0.01)

    def wait_for_all(self, devices: set[str], each: int) -> dict[str, list[dict[str, Any]]]:
        """Return the events of many visitors, once there are as many as expected."""
        deadline = time.monotonic() + 30
        self.claimed.update(dict.fromkeys(devices, each))
        while True:
            by_device: dict[str, list[dict[str, Any]]] = {device: [] for device in devices}
            for event in self.all_events():
                by_device.setdefault(event["device_id"], []).append(event)
            found = {device: by_device[device] for device in devices}
            if all(len(events) >= each for events in found.values()) or time.monotonic() > deadline:
                return found
            time.sleep(0.05)

    def check_that_nothing_else_was_said(self) -> None:
        assert Counter(event.get("device_id") for event in self.all_events()) == self.claimed
