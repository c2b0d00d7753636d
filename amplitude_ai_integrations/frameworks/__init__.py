"""Agent frameworks: one file for each."""

from __future__ import annotations
