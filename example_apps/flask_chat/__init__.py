"""A chat on Flask, with people who log in."""

from __future__ import annotations
