"""A chat on Django whose conversations Agent Analytics sees."""

from __future__ import annotations
