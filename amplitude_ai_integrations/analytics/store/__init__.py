"""One SQLite file: events, their payloads and the roll-up of every session."""

from __future__ import annotations
