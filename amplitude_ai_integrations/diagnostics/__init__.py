"""What ``doctor`` and ``status`` find out; nothing here prints."""

from __future__ import annotations

from .doctor import examine
from .finding import Finding, State
from .status import status_text
from .text import report

__all__ = ["Finding", "State", "examine", "report", "status_text"]
