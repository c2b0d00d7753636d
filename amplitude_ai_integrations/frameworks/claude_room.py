"""Which process of Claude's a hook or a message is of, among those that work for one session."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Final

from ..calls.facts import known, peek
from ..client.recording import Recorder
from ..context.forks import Guarded
from .claude_feed import Feed
from .claude_messages import blocks_of, tool_results

_MOST: Final = 100  # conversations at once; of more, the one that was silent for longest is over


class Room(Guarded):
    """The processes of one session, by the id that Claude has for its conversation."""

    def __init__(self, recorder: Recorder, provider: str, model: str | None) -> None:
        super().__init__()
        self._given = (recorder, provider, model)
        self._feeds: OrderedDict[str | None, Feed] = OrderedDict()

    def new_feed(self, connection: object = None) -> Feed:
        """Return one for a process whose messages need not be looked for."""
        return Feed(*self._given, connection)

    def feed_of(self, message: Any) -> Feed:
        """Return the process that a message comes from; not every message says it."""
        own = peek(message, "session_id") or peek(message, "data", "session_id")
        results = tool_results(blocks_of(message)) if own is None else []
        return self.feed(known(own, str), [result["tool_use_id"] for result in results])

    def feed(self, own_id: str | None, tool_ids: Iterable[Any], connection: object = None) -> Feed:
        """Return the process of a conversation, or of tools."""
        with self._lock:
            found = self._found(own_id, tool_ids)
            feed = self._feeds.pop(found, None) if found is not None or None in self._feeds else None
            feed = feed or self.new_feed(connection)
            self._feeds[own_id or found] = feed
            if connection is not None:
                feed.reconnected(connection)
            lost = self._feeds.popitem(last=False)[1] if len(self._feeds) > _MOST else None
        if lost is not None:
            lost.closed()
        return feed

    def _found(self, own_id: str | None, tool_ids: Iterable[Any]) -> str | None:
        if own_id in self._feeds:
            return own_id
        if own_id is not None:
            return None
        by_tool = (key for key, feed in self._feeds.items() if any(map(feed.knows, tool_ids)))
        return next(by_tool, next(reversed(self._feeds), None))

    def left(self) -> None:
        """Nobody can tell of this session any more."""
        for feed in self._feeds.values():
            feed.closed()
