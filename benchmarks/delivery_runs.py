"""The processes of the delivery benchmark: servers, and ways measured one at a time or until they end."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, NamedTuple

Figures = dict[str, float]

_STAGGER = 0.2  # seconds from one program's end to the next one's, so that they do not wait for each other


class Program(NamedTuple):
    """A process, what it is told and what it says."""

    process: subprocess.Popen[str]
    told: IO[str]
    said: IO[str]
    errors: Path

    def answer(self) -> Figures:
        """Return the figures it prints last; end with its own words if it fails."""
        line = self.said.readline()
        if not line.startswith("{"):
            self.process.wait()
            sys.exit(f"{' '.join(map(str, self.process.args))}\n{self.errors.read_text()}")
        figures: Figures = json.loads(line)
        return figures


def asked(part: str, way: str, url: str) -> Figures:
    """Measure a part of one way."""
    with _begun(part, way, url) as program:
        return program.answer()


def seconds_to_exit(programs: Iterable[tuple[str, str]]) -> list[float]:
    """Run several ways at once, for what is measured is mostly waiting: from the last line to the end."""
    with ExitStack() as running, ThreadPoolExecutor(32) as pool:
        begun = [running.enter_context(_begun("exit", way, url)) for way, url in programs]
        for program in begun:
            program.said.readline()
        ends = []
        for program in begun:
            program.told.write("\n")
            program.told.flush()
            ends.append(pool.submit(_seconds_to_exit, program))
            time.sleep(_STAGGER)
        return [end.result() for end in ends]


@contextmanager
def server(state: str) -> Iterator[str]:
    """Run a server that is ``ok`` or ``hanging``, or take a port at which there is none: ``down``."""
    if state == "down":
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        return
    command = [sys.executable, "-m", "benchmarks.delivery_server", state]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def _seconds_to_exit(program: Program) -> float:
    last_line = program.answer()["at"]
    program.process.wait()
    return time.monotonic() - last_line


@contextmanager
def _begun(part: str, way: str, url: str) -> Iterator[Program]:
    command = [sys.executable, "-m", "benchmarks.delivery_child", part, way, url]
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment = {**os.environ, "AMPLITUDE_AI_SPOOL": str(Path(folder, "spool"))}
        errors = Path(folder, "stderr")
        with errors.open("w") as words:
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                text=True,
            )
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                yield Program(process, process.stdin, process.stdout, errors)
            finally:
                process.kill()
