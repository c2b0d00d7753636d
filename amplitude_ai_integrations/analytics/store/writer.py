"""One thread that writes: requests that wait together share one commit."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from .arrival import Arrival
from .files import connect
from .ingest import Changes, Keep, ingest
from .presence import Presence

_MOST_EVENTS_A_COMMIT = 5_000
_MOST_BYTES_WAITING = 128 * 1024 * 1024


class StoreBusyError(Exception):
    """More is waiting to be written than memory should hold; nothing of this request was taken."""


@dataclass(slots=True)
class _Request:
    arrivals: Sequence[Arrival]
    bytes: int
    done: Future[None] = field(default_factory=Future)


class Writer:
    """Writes what is submitted and tells ``on_commit`` which sessions changed; ``keep`` see ``ingest``."""

    def __init__(self, path: Path, on_commit: Callable[[Changes], None], keep: Keep | None = None) -> None:
        self._connection = connect(path)
        self._presence = Presence(path)
        self._on_commit = on_commit
        self._keep = keep
        self._waiting: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._bytes = 0
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="agent-analytics-writer", daemon=True)
        self._thread.start()

    def submit(self, arrivals: Sequence[Arrival]) -> Future[None]:
        """Queue events that stand or fall together; the future is done once they are on disk."""
        request = _Request(arrivals, sum(len(arrival.raw) for arrival in arrivals))
        # Whoever waits may leave; what was taken is written all the same.
        request.done.set_running_or_notify_cancel()
        with self._lock:
            if self._is_closed or self._bytes > _MOST_BYTES_WAITING:
                raise StoreBusyError
            self._bytes += request.bytes
            self._waiting.put(request)
        return request.done

    def close(self) -> None:
        """Write what was submitted, then stop."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            self._waiting.put(None)
        self._thread.join()
        self._connection.execute("PRAGMA optimize")
        self._connection.close()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            self._write(self._gather(first))

    def _gather(self, first: _Request) -> list[_Request]:
        batch, events = [first], len(first.arrivals)
        while events < _MOST_EVENTS_A_COMMIT:
            try:
                request = self._waiting.get_nowait()
            except queue.Empty:
                break
            if request is None:
                self._waiting.put(None)
                break
            batch.append(request)
            events += len(request.arrivals)
        return batch

    def _write(self, batch: Sequence[_Request]) -> None:
        try:
            self._presence.check()
            arrivals = [arrival for each in batch for arrival in each.arrivals]
            changes = ingest(self._connection, arrivals, self._keep)
        except Exception as error:  # noqa: BLE001 - whoever waits for the request gets it
            self._write_alone(batch, error)
            return
        self._finish(batch)
        for request in batch:
            request.done.set_result(None)
        self._on_commit(changes)

    def _write_alone(self, batch: Sequence[_Request], error: Exception) -> None:
        """One request that cannot be written must not take its neighbours along."""
        if len(batch) == 1:
            self._finish(batch)
            batch[0].done.set_exception(error)
            return
        for request in batch:
            self._write([request])

    def _finish(self, batch: Sequence[_Request]) -> None:
        with self._lock:
            self._bytes -= sum(request.bytes for request in batch)
