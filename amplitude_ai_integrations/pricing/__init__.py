"""What model calls cost, how large models are, and how many tokens a text has."""

from __future__ import annotations

from .cost import calculate_cost
from .live import enable_live_price_updates
from .names import infer_provider, strip_provider_prefix

__all__ = ["calculate_cost", "enable_live_price_updates", "infer_provider", "strip_provider_prefix"]
