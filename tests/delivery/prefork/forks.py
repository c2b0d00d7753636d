"""Programs that are looked at while they fork: ``python -m tests.delivery.prefork.forks KIND``."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .app import ai, say
from .jobs import forked, speak, speak_and_flush
from .settings import DONE

DESCRIPTORS = """
import os
for name in os.listdir("/dev/fd"):
    try:
        os.fstat(int(name))
    except OSError:  # the one that listed them
        continue
    print(name, end=" ")
"""


def pause() -> None:
    """Wait as long as the test looks."""
    done = Path(os.environ[DONE])
    done.touch()
    while done.exists():
        time.sleep(0.02)


def program_run_inside() -> None:
    """Another program is run with whatever descriptors it inherits."""
    speak()
    ai.flush().result(10)
    speak()
    subprocess.run([sys.executable, "-c", DESCRIPTORS], close_fds=False, check=True)


def child_lives_on() -> None:
    """The parent waits to be killed, and its child lives on."""
    speak()
    if not os.fork():
        pause()
        os._exit(0)
    time.sleep(60)


def child_that_speaks_lives_on() -> None:
    speak()
    if not os.fork():
        speak()
        pause()
        os._exit(0)
    time.sleep(60)


def fork_during_a_request() -> None:
    """The sender waits for an answer while its process is forked."""
    for _ in range(20):
        say("yes, gladly")
    ai.flush()
    pause()
    forked(speak, sys.exit)
    pause()


def children_flush() -> None:
    """All have something to send at the same time, after the parent has sent something."""
    speak_and_flush()
    forked(speak_and_flush, os._exit)
    speak_and_flush()


KINDS: dict[str, Callable[[], None]] = {
    work.__name__: work
    for work in (
        pause,
        program_run_inside,
        child_lives_on,
        child_that_speaks_lives_on,
        fork_during_a_request,
        children_flush,
    )
}

if __name__ == "__main__":
    KINDS[sys.argv[1]]()
