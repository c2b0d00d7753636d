"""Programs that fork."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time

from .program import Child

_EVENTS = 100
_PATIENCE = 20  # seconds until a child counts as stuck


def forked(child: Child) -> None:
    """Fork two children before or after the client was used, and end them in some way."""
    ai = child.client()
    child.track(child.options["before"])
    if child.options["flushes"]:
        ai.flush().result(20)
        child.track(1)
    own = [_child(child, f"child{number}") for number in range(2)]
    for pid in own:
        assert os.waitpid(pid, 0)[1] == 0
    child.track(10, "afterwards")


def _child(child: Child, who: str) -> int:
    pid = os.fork()
    if pid:
        return pid
    signal.alarm(_PATIENCE)
    child.track(_EVENTS, who)
    assert child.ai is not None
    end = child.options["end"]
    if end == "flush":
        child.ai.flush().result(_PATIENCE)
    elif end == "linger":
        time.sleep(4)
    elif end == "exit":
        sys.exit(0)
    elif end == "grandchild":
        os.waitpid(_grandchild(child, f"{who}-grandchild"), 0)
        sys.exit(0)
    os._exit(0)


def _grandchild(child: Child, who: str) -> int:
    pid = os.fork()
    if pid == 0:
        child.track(_EVENTS, who)
        sys.exit(0)
    return pid


def outlived(child: Child) -> None:
    """Leave at once when a child, which lives on, has tracked something or nothing."""
    child.client()
    child.track(50)
    pid = os.getpid()
    if os.fork() == 0:
        child.track(child.options["by_child"], "child")
        os.kill(pid, signal.SIGKILL)
        child.wait()
        os._exit(0)
    time.sleep(_PATIENCE)


def multiprocessed(child: Child) -> None:
    """Have a process of multiprocessing track, started in some way."""
    ai = child.client()
    child.track(20)
    ai.flush().result(20)
    child.track(1)
    context = multiprocessing.get_context(child.options["method"])
    if child.options["method"] == "fork":
        process = context.Process(target=child.track, args=(_EVENTS, "other"))
    else:
        process = context.Process(target=_spawned, args=(str(child.directory), child.url))
    process.start()
    process.join(_PATIENCE)
    assert process.exitcode == 0


def _spawned(directory: str, url: str) -> None:
    child = Child(directory, url, {})
    child.client()
    child.track(_EVENTS, "other")


def under_load(child: Child) -> None:
    """Fork again and again while four threads track; each child tracks and ends."""
    child.client()
    is_over = threading.Event()

    def work(who: str) -> None:
        while not is_over.is_set():
            child.track(20, who)
            time.sleep(0.001)

    threads = [threading.Thread(target=work, args=(f"thread{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    stuck = sum(_is_stuck(child, f"child{number}") for number in range(child.options["children"]))
    is_over.set()
    for thread in threads:
        thread.join()
    child.report(stuck=stuck)


def _is_stuck(child: Child, who: str) -> bool:
    pid = os.fork()
    if pid == 0:
        child.track(5, who)
        os._exit(0)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return False
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return True
