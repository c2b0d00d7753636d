"""Example applications, each a program of its own that the tests run."""

from __future__ import annotations
