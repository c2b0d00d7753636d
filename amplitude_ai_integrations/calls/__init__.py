"""One model call, any vendor."""

from __future__ import annotations
