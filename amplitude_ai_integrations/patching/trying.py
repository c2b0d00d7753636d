"""Whether what is installed can be observed, tried out and taken back."""

from __future__ import annotations

from collections.abc import Iterator, Set

from ..calls.replacing import undo_all
from ..calls.reporting import Reporting
from ..client.active import silent_client
from ..diagnostics import Finding
from ..diagnostics.versions import TOPIC
from ..exceptions import ProviderError
from ..registry import PROVIDERS
from .ways import WAYS, Way, find, go


def unobservable(needed: Set[str]) -> Iterator[Finding]:
    """Say which vendors' packages cannot be observed, of those that a project needs; they are imported."""
    for provider, ways in WAYS.items():
        known = PROVIDERS[provider]
        if known.module in needed and known.is_installed:
            for words in dict.fromkeys(filter(None, map(_refusal, ways))):
                yield Finding(TOPIC, "problem", words, f"A version that works: {known.command}")


def _refusal(way: Way) -> str | None:
    try:
        undo_all(go(way, find(way), Reporting(silent_client())))
    except ProviderError as error:
        return str(error)
    return None
