"""A program that observes its clients itself, and then no longer."""

from __future__ import annotations

import sys

from amplitude_ai_integrations import AmplitudeAI, MemorySink, patch, unpatch

ours = MemorySink()
ai = AmplitudeAI(sink=ours)
patch(ai, user_id="u")

from ask import ask  # noqa: E402 - which imports the vendor

answer = ask("Hi")
assert len(ours.events) == 2, ours.events
unpatch()
assert ai.status()["patched_providers"] == []
ask("Hi")
assert len(ours.events) == 2, ours.events
sys.stdout.write(f"{answer}\n")
