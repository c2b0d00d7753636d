"""The web pages of local Agent Analytics."""

from __future__ import annotations
