"""The application that real Celery workers run: ``celery -A tests.workers.celery_app worker``."""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from amplitude import Amplitude, Config
from celery import Celery, signals

from amplitude_ai_integrations import AmplitudeAI, current_session
from amplitude_ai_integrations.workers.celery import AmplitudeAICelery

FOLDER, CLIENT, DIES = "TEST_CELERY_FOLDER", "TEST_CELERY_CLIENT", "TEST_CELERY_DIES"
_NEVER = 60_000  # milliseconds: what arrives was delivered because the worker ends


def celery_on(folder: Path) -> Celery:
    """Return an app whose broker is a folder."""
    for name in ("messages", "control"):
        (folder / name).mkdir(exist_ok=True)
    messages = str(folder / "messages")
    app = Celery("processes", broker="filesystem://", set_as_current=False)
    app.conf.broker_transport_options = {
        "data_folder_in": messages,
        "data_folder_out": messages,
        "control_folder": str(folder / "control"),
        "polling_interval": 0.02,
    }
    return app


def client_that_waits() -> AmplitudeAI:
    """Make a client that delivers nothing by itself."""
    server = os.environ["AMPLITUDE_AI_SERVER_URL"] + "/batch"
    settings = Config(server_url=server, flush_interval_millis=_NEVER, flush_queue_size=1_000)
    return AmplitudeAI(amplitude=Amplitude("key", settings))


CLIENTS: dict[str, Callable[[], Any]] = {
    "made at once": AmplitudeAI,
    "made in the child": lambda: AmplitudeAI,
    "of the customer's, made in the child": lambda: client_that_waits,
}


def _die(**_: Any) -> None:
    """Be killed before anybody can do anything about one's end."""
    os.kill(os.getpid(), signal.SIGKILL)


def _worker(folder: Path) -> Celery:
    app = celery_on(folder)
    if os.environ[DIES]:
        signals.worker_process_shutdown.connect(_die, weak=False)
    AmplitudeAICelery(app, amplitude_ai=CLIENTS[os.environ[CLIENT]]())

    @app.task(name="answer", shared=False)
    def answer(number: int) -> None:
        current_session().track_ai_message("yes", "gpt-4o-mini", "openai", 5.0, turn_id=number)
        (folder / f"done-{uuid.uuid4()}").touch()

    return app


if FOLDER in os.environ:
    app = _worker(Path(os.environ[FOLDER]))
