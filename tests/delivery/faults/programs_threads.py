"""Programs that track from where nobody expects it, and one that kills the thread that sends."""

from __future__ import annotations

import ctypes
import gc
import logging
import signal
import threading
from typing import Any

from .program import Child
from .waiting import until


def killed(child: Child) -> None:
    """Have every other thread end by an exception that is not an error, and track on."""
    ai = child.client()
    child.track(20)
    ai.flush().result(20)
    child.track(1)
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    for thread in others:
        exception = ctypes.py_object(SystemExit)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), exception)
    until(lambda: not any(thread.is_alive() for thread in others))
    child.track(100, "later")
    child.wait()
    child.report(killed=len(others))


def by_a_signal_handler(child: Child) -> None:
    """Track in a signal handler that interrupts tracking, hundreds of times a second."""
    child.client()
    signal.signal(signal.SIGALRM, lambda *_: child.track(1, "handler"))
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    child.track(child.options["events"])
    signal.setitimer(signal.ITIMER_REAL, 0)
    child.report()


class Tracking(logging.Handler):
    """Tracks an event for every record of the log."""

    def __init__(self, child: Child) -> None:
        super().__init__(logging.DEBUG)
        self._child = child
        self.records = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Track it."""
        self.records += 1
        self._child.track(1, "log", message=record.getMessage())


def by_a_logging_handler(child: Child) -> None:
    """Track in a handler of the log, in which the client itself speaks too."""
    handler = Tracking(child)
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])
    child.client()
    for _ in range(20):
        child.track(10)
        logging.getLogger("program").info("tracked ten")
    child.wait()
    child.report(records=handler.records)


class Mourned:
    """Tracks an event when it is collected, which only the collector can do: it is part of a circle."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._circle = self

    def __del__(self) -> None:
        self._child.track(1, "collected")


def by_the_garbage_collector(child: Child) -> None:
    """Track while objects are collected, at any allocation, that track."""
    gc.set_threshold(20)
    child.client()
    for _ in range(child.options["events"]):
        Mourned(child)
        child.track(1)
    gc.collect()
    child.report()


def by_the_callback(child: Child) -> None:
    """Track and flush in the callback, which runs where events are sent."""
    told: list[str] = []

    def again(event: Any, _code: int, _message: str | None) -> None:
        name = event.event_properties["[Agent] Span Name"]
        told.append(name)
        assert child.ai is not None
        if name.startswith("main"):
            child.track(1, "callback")
            child.ai.flush()

    child.client(on_event_callback=again)
    child.track(child.options["events"])
    child.wait()
    until(lambda: len(told) >= len(child.ledger.names()), 5)
    child.report(told=told)


def by_a_hook(child: Child) -> None:
    """Track in ``before_send``, which sees every event on its way."""

    def also(event: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        if event["event_properties"]["[Agent] Span Name"].startswith("main"):
            child.track(1, "hook")
        return event

    child.client(before_send=also)
    child.track(child.options["events"])
    child.report()


def by_a_plugin(child: Child) -> None:
    """Track in a plugin of the official client's kind."""
    from amplitude import BaseEvent, EventPlugin, PluginType

    class Also(EventPlugin):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(PluginType.ENRICHMENT)

        def execute(self, event: BaseEvent) -> BaseEvent:
            if event.event_properties["[Agent] Span Name"].startswith("main"):
                child.track(1, "plugin")
            event["app_version"] = "2.0"
            return event

    ai = child.client()
    ai.amplitude.add(Also())
    child.track(child.options["events"])
    child.report()


def by_many_threads(child: Child) -> None:
    """Track in eight threads at once, while one flushes."""
    ai = child.client()
    threads = [
        threading.Thread(target=child.track, args=(child.options["events"], f"thread{number}"))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        ai.flush()
        threads[0].join(0.01)
    for thread in threads:
        thread.join()
    child.report()
