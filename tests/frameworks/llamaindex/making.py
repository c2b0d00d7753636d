"""Workflows and agents, made and run although LlamaIndex looks at names that Pydantic warns of."""

from __future__ import annotations

import warnings
from typing import Any


def made(kind: Any, **options: Any) -> Any:
    """Make a workflow or an agent; until the end of the test nobody is warned of what it looks at."""
    warnings.filterwarnings("ignore", ".* attribute .*is deprecated", DeprecationWarning)
    warnings.filterwarnings("ignore", "is_running called from within a step", DeprecationWarning)
    return kind(**options)
