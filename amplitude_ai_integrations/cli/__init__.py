"""What people type."""

from __future__ import annotations
