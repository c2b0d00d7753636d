"""Functions that report their own calls."""

from __future__ import annotations

from .observe import observe
from .tool import tool

__all__ = ["observe", "tool"]
