"""The pieces of a streamed answer, put together as they come."""

from __future__ import annotations

from typing import Final

_MOST: Final = 256  # pieces that are kept as such: a short text takes fifty bytes more than its characters


class Pieces:
    """Gathers pieces of a text, and takes little more room than the text does."""

    __slots__ = ("_blocks", "_pieces")

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._pieces: list[str] = []

    def add(self, piece: str) -> None:
        """Take the next piece."""
        self._pieces.append(piece)
        if len(self._pieces) == _MOST:
            self._blocks.append("".join(self._pieces))
            self._pieces.clear()

    def text(self) -> str:
        """Return what came so far."""
        return "".join(self._blocks) + "".join(self._pieces)
