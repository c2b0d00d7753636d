"""LiteLLM's callback, in an environment that has LiteLLM."""

from __future__ import annotations
