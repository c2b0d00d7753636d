"""Visits to a server as browsers make them: several at once, each on a connection of its own."""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from .running import PATIENCE, Program

AT_ONCE = 3


class Visits:
    """What came of them: who answered last, how long the slowest took, how often one had to try again."""

    def __init__(self, program: Program, port: int) -> None:
        self._program = program
        self._port = port
        self._lock = threading.Lock()
        self.slowest = 0.0
        self.tried_again = 0

    def make(self, number: int) -> list[int]:
        """Make so many visits, and return the process that answered each."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda _: self.visit(), range(number)))

    def visit(self) -> int:
        """Visit until there is an answer, and return the process that gave it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            began = time.monotonic()
            try:
                return self._visit()
            except (OSError, http.client.HTTPException):
                if time.monotonic() > deadline or self._is_over():
                    raise
                with self._lock:
                    self.tried_again += 1
                time.sleep(0.05)
            finally:
                with self._lock:
                    self.slowest = max(self.slowest, time.monotonic() - began)

    def _visit(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            connection.request("GET", "/", headers={"Connection": "close"})
            response = connection.getresponse()
            body = response.read()
            assert response.status == 200, body
            return int(body)
        finally:
            connection.close()

    def _is_over(self) -> bool:
        return self._program.process.poll() is not None
