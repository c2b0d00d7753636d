"""A chat as one WSGI function."""

from __future__ import annotations
