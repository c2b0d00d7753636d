"""Programs that end in every way there is, with events just tracked."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time

from .program import Child


def normally(child: Child) -> None:
    """Come to the end."""
    child.client()
    child.track(child.options["events"])
    child.ready()


def by_sys_exit(child: Child) -> None:
    """Exit with a status."""
    normally(child)
    sys.exit(3)


def by_an_exception(child: Child) -> None:
    """Die of an exception."""
    normally(child)
    raise RuntimeError("the program died")


def at_once(child: Child) -> None:
    """Leave without running anything that exits run."""
    normally(child)
    os._exit(4)


def by_a_signal(child: Child) -> None:
    """Wait for a signal that ends it."""
    normally(child)
    time.sleep(60)


def by_a_handled_signal(child: Child) -> None:
    """Turn SIGTERM into an orderly exit, as many servers do."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    by_a_signal(child)


def with_a_late_thread(child: Child) -> None:
    """End while a thread, not a daemon, goes on to track."""
    normally(child)

    def late() -> None:
        threading.main_thread().join()
        child.track(50, "late")

    threading.Thread(target=late).start()


def with_an_exit_callback(child: Child) -> None:
    """Track in a callback that runs at exit, before the client ends."""
    normally(child)
    atexit.register(lambda: child.track(50, "callback"))


def with_a_late_exit_callback(child: Child) -> None:
    """Track in a callback that runs at exit, after the client has ended: it was registered first."""
    atexit.register(lambda: child.track(50, "callback"))
    normally(child)


def after_a_flush(child: Child) -> None:
    """Leave at once, after a flush that said it is done."""
    normally(child)
    assert child.ai is not None
    child.ai.flush().result(30)
    os._exit(0)


def after_a_shutdown(child: Child) -> None:
    """Shut the client down, twice, and come to the end."""
    normally(child)
    assert child.ai is not None
    child.ai.shutdown()
    child.ai.shutdown()
    child.report()


def tracking_after_a_shutdown(child: Child) -> None:
    """Track once more after the client was shut down."""
    after_a_shutdown(child)
    child.track(20, "after")
