"""One request, any server."""

from __future__ import annotations
