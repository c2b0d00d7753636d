"""One run of an agent, whatever the framework: who is part of whom, and what each part becomes."""

from __future__ import annotations
