"""Two services and one conversation: a planner on FastAPI that asks a searcher on Flask."""

from __future__ import annotations
