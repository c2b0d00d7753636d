"""Agent Analytics on this machine: a collector, a store and the pages that read it."""

from __future__ import annotations
