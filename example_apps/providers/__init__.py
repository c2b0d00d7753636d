"""One small program for each model provider."""

from __future__ import annotations
