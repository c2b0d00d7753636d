"""A program that tracks events, to be ended in some way: ``python -m tests.delivery.faults.program NAME ...``."""

from __future__ import annotations

import faulthandler
import importlib
import itertools
import json
import resource
import signal
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from amplitude_ai_integrations import AIConfig, AmplitudeAI

from .ledger import Ledger
from .waiting import until

API_KEY = "0123456789abcdef-secret"
_NOTING = 2.0  # seconds
READY, REPORT, LEDGER = "ready", "report.json", "ledger"


class Child:
    """What each program has at hand: a client, the ledger, and a way to speak with who started it."""

    def __init__(self, directory: str, url: str, options: dict[str, Any]) -> None:
        self.directory = Path(directory)
        self.url = url
        self.options = options
        self.ledger = Ledger(self.directory.parent / LEDGER)
        self._numbers: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)
        self.ai: AmplitudeAI | None = None

    def client(self, **settings: Any) -> AmplitudeAI:
        """Return the client that events are tracked through from now on."""
        self.ai = AmplitudeAI(api_key=API_KEY, config=AIConfig(server_url=self.url, **settings))
        return self.ai

    def track(self, count: int, who: str = "main", **properties: Any) -> None:
        """Track events, named after who tracks them and by number; the ledger has them afterwards."""
        for number in itertools.islice(self._numbers[who], count):
            self.track_one(f"{who}-{number}", who, **properties)

    def track_one(self, name: str, who: str = "main", **properties: Any) -> None:
        """Track one event of that name."""
        assert self.ai is not None
        self.ai.track_span(who, name, event_properties={"text": "some words " * 20, **properties})
        self.ledger.note(name)

    def ready(self) -> None:
        """Say that a signal may come now."""
        (self.directory / READY).touch()

    def wait(self) -> None:
        """Wait until told to go on, and until what the server has just answered is noted."""
        self.ready()
        sys.stdin.read()
        ai = self.ai
        until(lambda: ai is None or not ai.status()["events"]["pending"], _NOTING)

    def report(self, **facts: Any) -> None:
        """Leave behind what the client says of itself, and anything else worth knowing."""
        assert self.ai is not None
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        facts = {**facts, "status": self.ai.status(), "megabytes": memory}
        written = self.directory / f"{REPORT}.new"
        written.write_text(json.dumps(facts, default=str))
        written.replace(self.directory / REPORT)


def main() -> None:
    """Run ``module.function`` of the programs beside this file."""
    faulthandler.register(signal.SIGUSR1)  # where a program is stuck stands in its log then
    name, directory, url, options = sys.argv[1:]
    module, function = name.split(".")
    program = getattr(importlib.import_module(f"tests.delivery.faults.programs_{module}"), function)
    program(Child(directory, url, json.loads(options)))


if __name__ == "__main__":
    main()
