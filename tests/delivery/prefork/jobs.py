"""Programs that fork without a server, by every means of the standard library: ``python -m ... KIND``."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from .app import ai, say
from .settings import DONE

CHILDREN, EACH = 3, 4


def speak(_number: int = 0) -> None:
    for _ in range(EACH):
        say("yes, gladly")


def speak_and_flush() -> None:
    speak()
    ai.flush().result(10)


def forked(work: Any, end: Any, fork: Any = os.fork) -> None:
    """Fork children that work and end, and see that each ended well."""
    children = []
    for _ in range(CHILDREN):
        pid = fork()
        if not pid:
            work()
            end(0)
        children.append(pid)
    for pid in children:
        _, status = os.waitpid(pid, 0)
        assert status == 0, status


def fork_exit() -> None:
    forked(speak, sys.exit)


def fork_at_once() -> None:
    forked(speak, os._exit)


def fork_flush() -> None:
    forked(speak_and_flush, os._exit)


def fork_in_c(end: Any) -> None:
    """Nobody tells Python, as where uWSGI forks: none of its hooks for forks run."""
    time.sleep(0.1)  # a thread that waits for the interpreter now would be waited for in the child, in vain
    forked(speak, end, ctypes.PyDLL(None).fork)


def fork_grandchild() -> None:
    forked(fork_exit, sys.exit)


def fork_killed() -> None:
    """Children that a signal ends while they work."""
    for _ in range(CHILDREN):
        pid = os.fork()
        if not pid:
            speak()
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(pid, 0)


def fork_while_threads_track() -> None:
    """A fork finds every lock in whatever state it is."""
    is_over = threading.Event()

    def track() -> None:
        while not is_over.is_set():
            say("yes, gladly")

    threads = [threading.Thread(target=track) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(8):
            forked(speak, os._exit)
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def processes(method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    children = [context.Process(target=speak) for _ in range(CHILDREN)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0, child.exitcode


def executor(method: str) -> None:
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        list(pool.map(speak, range(CHILDREN * 2)))


def pool_terminated(method: str) -> None:
    """A pool left by its ``with`` block ends its workers by a signal."""
    with multiprocessing.get_context(method).Pool(2) as pool:
        pool.map(speak, range(CHILDREN * 2))


def greenlets() -> None:
    import gevent

    gevent.joinall([gevent.spawn(speak) for _ in range(CHILDREN)], raise_error=True)
    forked(speak, sys.exit)
    speak()


def patched_after() -> None:
    """The client was made, and may have sent something, before gevent takes the place of threads."""
    from gevent import monkey

    monkey.patch_all()
    greenlets()


KINDS: dict[str, Any] = {
    "fork, exit": fork_exit,
    "fork, exit at once": fork_at_once,
    "fork, flush, exit at once": fork_flush,
    "fork, killed": fork_killed,
    "fork of a fork": fork_grandchild,
    "fork in C, exit": lambda: fork_in_c(sys.exit),
    "fork in C, exit at once": lambda: fork_in_c(os._exit),
    "fork while threads track": fork_while_threads_track,
    **{
        f"process, {method}": lambda method=method: processes(method)
        for method in ("fork", "forkserver", "spawn")
    },
    **{
        f"executor, {method}": lambda method=method: executor(method)
        for method in ("fork", "forkserver", "spawn")
    },
    "pool, fork": lambda: pool_terminated("fork"),
    "gevent, patched before": greenlets,
    "gevent, patched after": patched_after,
}


def main() -> None:
    KINDS[sys.argv[1]]()
    speak()
    if DONE in os.environ:
        # The test looks whether everything arrives while this process lives on.
        done = Path(os.environ[DONE])
        done.touch()
        while done.exists():
            time.sleep(0.02)


if __name__ == "__main__":
    main()
