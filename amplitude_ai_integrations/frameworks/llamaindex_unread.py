"""Answers that are still to be read, and the steps that wait for that."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

from ..context.recent import Recent
from ..exceptions import shielded
from ..runs.run import Kind, Run
from .llamaindex_calls import Calls
from .watching import Watching

# Where LlamaIndex's answers hold the generator of what they say.
_STREAMS: Final = ("response_gen", "chat_stream", "achat_stream")
_FRAMES: Final = ("gi_frame", "ag_frame")


class Unread:
    """The steps that have returned an answer which nobody has read to its end."""

    def __init__(self, watching: Watching, calls: Calls) -> None:
        self._watching = watching
        self._calls = calls
        self._lock = threading.RLock()
        self._streams: dict[object, weakref.ref[Any]] = {}
        self._read: Recent[object, bool] = Recent()  # steps whose streams ended before they returned

    def waits(self, run_id: object, stream: Any) -> bool:
        """Tell whether a step that has returned waits for its stream, which is not so if that was read."""
        with self._lock:
            run = self._watching.tree.get(run_id)
            if run is None:
                return False
            was_read = self._read.pop(run_id) is not None or _frame(stream) is None
            if was_read and not run.parts:
                return False
            self.watch(run_id, stream)
        return True

    def watch(self, run_id: object, stream: Any) -> None:
        """Know what is part of a stream of a call or a step, and end it when nobody holds that any more."""
        self._streams[run_id] = weakref.ref(stream)
        weakref.finalize(stream, self._let_go, run_id).atexit = False

    def being_read(self) -> object:
        """Return the call or the step whose stream is being read here: what happens now is a part of it."""
        if not self._streams:
            return None
        here = {id(frame) for frame in _frames()}  # to hold the frames would keep alive what is in them
        # A copy, since a stream may be let go of at any moment.
        streams = self._streams.copy().items()
        return next((run_id for run_id, known in streams if id(_frame(known())) in here), None)

    def was_read(self, call: Run | None, result: Any = None, error: BaseException | None = None) -> None:
        """A stream was read to its end, or raised: end the steps around that waited for nothing else."""
        around = call.parent if call is not None else None
        with self._lock:
            run = around
            while run is not None:
                self._read.put(run.id, True)
                run = run.parent
        self._settle(around, result, error)

    def _settle(self, run: Run | None, result: Any, error: BaseException | None) -> None:
        while run is not None:
            with self._lock:
                if run.parts or self._streams.pop(run.id, None) is None:
                    return
            self._read.pop(run.id)
            if error is not None:
                self._watching.failed(run.id, error)
            else:
                self._watching.ended(run.id, result)
            run = run.parent

    def _let_go(self, run_id: object) -> None:
        """Nobody holds the stream of a call, or of a step's answer, any more."""
        with shielded("llamaindex"):
            run = self._watching.tree.get(run_id)
            if run is None or run.kind is Kind.CALL:
                self._streams.pop(run_id, None)
            for call in (run, *run.parts.values()) if run is not None else ():
                if call.kind is Kind.CALL:
                    self._calls.failed(call.id, GeneratorExit())
            self._settle(run.parent if run is not None and run.kind is Kind.CALL else run, None, None)


def stream_of(result: Any) -> Any:
    """Return the generator from which an answer is still to be read, if that is one.

    Only what an answer holds is looked at: to ask it for more may begin to read it.
    """
    if any(hasattr(result, name) for name in _FRAMES):
        return result
    held = getattr(result, "__dict__", {})
    return next((stream for name in _STREAMS if (stream := held.get(name)) is not None), None)


def _frame(stream: Any) -> FrameType | None:
    frames = (getattr(stream, name, None) for name in _FRAMES)
    return next((frame for frame in frames if frame is not None), None)


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back
