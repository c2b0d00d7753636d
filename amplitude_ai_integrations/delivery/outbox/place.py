"""Where segments lie: a folder of the user's own, one in it for each destination."""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from pathlib import Path
from typing import Final

from ...config import AIConfig
from ...exceptions import logger
from .spool import Spool

OFF: Final = "off"
_FOLDER: Final = Path("amplitude-ai-integrations") / "spool"


def spool_folder(configured: str | os.PathLike[str] | None) -> Path | None:
    """Return the folder that holds the spools, or ``None`` where events are to stay in memory.

    Raises:
        RuntimeError: This user has no home.
    """
    if configured:
        return None if str(configured).lower() == OFF else Path(configured).expanduser().absolute()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base).absolute() / _FOLDER


def destination_name(api_key: str, url: str, kind: str = "") -> str:
    """Return the name of a destination's folder, from which the key cannot be read.

    ``kind`` sets apart the events of a customer's own client, which other clients must not send.
    """
    return sha256(f"{api_key}\0{url}\0{kind}".encode()).hexdigest()[:16]


def spool_of(config: AIConfig, destination: str) -> tuple[Spool | None, str]:
    """Return where a destination's events wait on disk, or ``None`` and why they wait in memory."""
    try:
        folder = spool_folder(config.spool)
    except RuntimeError:
        logger.warning("There is no home to keep events in; they wait in memory. Set AMPLITUDE_AI_SPOOL.")
        return None, "no home"
    return (Spool(folder / destination), "") if folder is not None else (None, "switched off")
