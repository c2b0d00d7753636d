"""One thin file a model provider."""

from __future__ import annotations
