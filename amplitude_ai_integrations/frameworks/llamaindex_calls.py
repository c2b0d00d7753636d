"""Model calls as LlamaIndex tells of them: often several times, since one way to call is made of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from ..calls.covering import observations_above
from ..calls.facts import RequestFacts
from ..calls.observation import Observation
from ..context.recent import Recent
from ..runs.run import Kind
from .llamaindex_answers import Answers, embeddings
from .watching import Watching


class _Open:
    """A call under way: how often it was begun, since each of these beginnings has an end."""

    __slots__ = ("begun", "has_pieces")

    def __init__(self) -> None:
        self.begun = 1
        self.has_pieces = False


class Calls:
    """The model calls of one door that are under way."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self._open: Recent[object, _Open] = Recent()
        self._silent: WeakKeyDictionary[Any, tuple[object, str, str]] = WeakKeyDictionary()

    def begin(
        self,
        call_id: object,
        parent_id: object,
        request: RequestFacts,
        words: str,
        *,
        identity: Mapping[str, Any],
        is_streaming: bool = False,
        by_words: bool = False,
    ) -> object:
        """Begin a call, and return under which id it is told: that of another, if it is a part of that.

        ``parent_id`` shows that it is. Where that is not known, ``by_words`` compares what was asked.
        """
        outer = self._outer(parent_id) or (self._asked_so(request, words) if by_words else None)
        if outer is not None:
            if outer == call_id:
                self._again(call_id)
            return outer
        if self._is_open(call_id):
            self._again(call_id)
            return call_id
        run = self._watching.call(
            call_id, parent_id, request, adapter=Answers(words), is_streaming=is_streaming, identity=identity
        )
        if run is not None:
            self._open.put(call_id, _Open())
            if run.call is not None:
                self._silent[run.call] = (call_id, words, request.model)
        return call_id

    def piece(self, call_id: object, piece: Any) -> None:
        """A piece of a streamed answer comes."""
        call = self._open.get(call_id)
        if call is not None:
            call.has_pieces = True
            self._speaks(call_id)
            self._watching.piece(call_id, piece)

    def answered(self, call_id: object, answer: Any) -> None:
        """A call is answered, or its stream read to the end."""
        call = self._over(call_id)
        if call is None:
            return
        if call.has_pieces:
            self._watching.ended(call_id)
        else:
            self._watching.answered(call_id, answer)

    def embedded(self, call_id: object, vectors: Any) -> None:
        """Texts are embedded."""
        if self._over(call_id) is not None:
            self._watching.answered(call_id, embeddings(vectors))

    def failed(self, call_id: object, error: BaseException) -> None:
        """A call, or its stream, raised, or the stream was left."""
        if self._open.pop(call_id) is None:
            return
        run = self._watching.tree.get(call_id)
        if isinstance(error, GeneratorExit) and run is not None and isinstance(run.call, Observation):
            run.call.streams()  # which a callback manager does not say at the beginning
        self._watching.failed(call_id, error)

    def _over(self, call_id: object) -> _Open | None:
        call = self._open.get(call_id)
        if call is None:
            return None
        call.begun -= 1
        return None if call.begun else self._open.pop(call_id)

    def _again(self, call_id: object) -> None:
        call = self._open.get(call_id)
        if call is not None:
            call.begun += 1

    def _is_open(self, call_id: object) -> bool:
        return self._open.get(call_id) is not None

    def _outer(self, parent_id: object) -> object:
        around = self._watching.tree.get(parent_id)
        return around.id if around is not None and around.kind is Kind.CALL else None

    def _asked_so(self, request: RequestFacts, words: str) -> object:
        """Return the call that was made from here, and has not answered, if it asks the same."""
        above = next(iter(observations_above()), None)
        known = self._silent.get(above) if above is not None else None
        if known is None or request.is_embedding:
            return None
        call_id, asked, model = known
        return call_id if asked and asked in words and model == request.model else None

    def _speaks(self, call_id: object) -> None:
        run = self._watching.tree.get(call_id)
        if run is not None and run.call is not None:
            self._silent.pop(run.call, None)
