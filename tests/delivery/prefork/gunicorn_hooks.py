"""Lets a gunicorn say which of its workers are up: one that is ended while it starts does not hear it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

NOTES = "TEST_WORKERS"  # names the folder that has a file for each worker


def _note(pid: int) -> Path:
    return Path(os.environ[NOTES]) / str(pid)


def post_worker_init(worker: Any) -> None:
    _note(worker.pid).touch()


def child_exit(server: Any, worker: Any) -> None:
    _note(worker.pid).unlink(missing_ok=True)
