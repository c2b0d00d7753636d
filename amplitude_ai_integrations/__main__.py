"""``python -m amplitude_ai_integrations`` does what ``amplitude-ai`` does."""

from __future__ import annotations

import sys

from .cli.main import main

if __name__ == "__main__":
    sys.exit(main())
