"""The tables, and the person who may sign in."""

from __future__ import annotations
