"""What we cost, measured as ratios inside one run."""

from __future__ import annotations
