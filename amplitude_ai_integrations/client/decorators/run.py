"""One call of a decorated function, from its beginning to however it ends."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext, suppress
from contextvars import Token
from types import TracebackType
from typing import Any, Final

from ...context import stamps
from ...context.current import SessionContext, get_active_context, push_context, reset_context
from ...exceptions import AmplitudeAIError, shielded
from ...schema.events import ToolCall, UserMessage
from ...schema.values import plain, state
from ..failures import failure_of
from ..recording import Recorder, Scope
from ..session import Session
from ..tracker import CallFields
from .about import KEYWORDS, TOOL, About
from .rationale import RATIONALE, said
from .target import Target, target_of

_WHERE: Final = "decorated call"
_NOWHERE: Final = nullcontext()
_ANYWHERE: Final = Scope()
_MOST_ITEMS: Final = 100
_LONGEST_ITEM: Final = 10_000  # characters
_CUT: Final = "...[truncated]"


class Inside:
    """Makes a context the current one for a block, and takes it up again where the last block left it."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: SessionContext | None) -> None:
        self._context = context
        self._token: Token[SessionContext | None] | None = None

    def __enter__(self) -> None:
        with shielded(_WHERE):
            self._token = push_context(self._context)

    def __exit__(self, *_: object) -> None:
        with shielded(_WHERE):
            if self._token is not None:
                self._context = get_active_context()
                reset_context(self._token)


class Run:
    """Stands around a call: takes the ``amplitude_*`` keywords off it, and records it when it is over.

    The function's own code runs inside ``inside``, which a generator leaves between any two of its items.
    """

    __slots__ = (
        "_args", "_context", "_given", "_kwargs", "_own", "_rationale", "_recorder", "_session", "_started",
        "about", "inside", "output",
    )  # fmt: skip

    def __init__(self, about: About, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.about = about
        self.inside: AbstractContextManager[None] = _NOWHERE
        self.output: Any = None
        self._args = args
        self._kwargs = kwargs
        self._own = {name: kwargs.pop(name) for name in about.keywords & kwargs.keys()} if kwargs else {}
        self._rationale = kwargs.pop(RATIONALE, None) if about.offers_rationale else None
        self._recorder: Recorder | None = None
        self._session: Session | None = None  # the one opened for this call

    def __enter__(self) -> Run:
        with shielded(_WHERE):
            active = get_active_context()
            target = target_of(self.about.ai, active)
            if target is not None and target.recorder.config.enabled:
                self._begin(target, active)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._recorder is not None:
            with shielded(_WHERE):
                self._record(self._recorder, error)
        if self._session is not None:
            with shielded(_WHERE):
                self._session.__exit__(kind, error, trace)
        if error is not None:
            self._tell(error)

    async def __aenter__(self) -> Run:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._recorder is not None:
            with shielded(_WHERE):
                self._record(self._recorder, error)
        if self._session is not None:
            with shielded(_WHERE):
                await self._session.__aexit__(kind, error, trace)
        if error is not None:
            self._tell(error)

    def keep(self, item: Any) -> None:
        """Note an item of a generator as it is now; of a long one, the first hundred."""
        if self._recorder is None:
            return
        with shielded(_WHERE):
            if len(self.output) < _MOST_ITEMS:
                self.output.append(plain(item, _LONGEST_ITEM))
            elif len(self.output) == _MOST_ITEMS:
                self.output.append(_CUT)

    def _begin(self, target: Target, active: SessionContext | None) -> None:
        about = self.about
        own = {KEYWORDS[keyword]: value for keyword, value in self._own.items()}
        given = (target.fields, about.fields, own)
        self._given = {name: value for fields in given for name, value in fields.items() if value is not None}
        self._given[about.terms.name] = about.name
        arguments = about.arguments.given(self._args, self._kwargs)
        self._given[about.terms.input] = plain(arguments)
        self._context = active
        self._place(target)
        if about.rationale is not None:
            rationale = said(self._rationale if about.offers_rationale else arguments.get(RATIONALE))
            if rationale is not None:
                self._say(target.recorder, rationale)
        self._recorder = target.recorder
        self._started = stamps.seconds()

    def _place(self, target: Target) -> None:
        """Find the place of the function's own code, where that is another than its caller's."""

    def _say(self, recorder: Recorder, rationale: str) -> None:
        """Record why a model calls the tool; where no user is heard, that is what the session is about."""
        own = {name: self._given[name] for name in CallFields.__annotations__ if name in self._given}
        given = {**own, "content": rationale, "message_source": "agent"}
        with Inside(self._context):
            said_id = recorder.record(UserMessage, given, _ANYWHERE, by_hand=False)
        self._given.setdefault("parent_message_id", said_id)

    def _record(self, recorder: Recorder, error: BaseException | None) -> None:
        terms, given, context = self.about.terms, self._given, self._context
        given["latency_ms"] = (stamps.seconds() - self._started) * 1000
        output = self.output if error is None else self.output or None
        given[terms.output] = output if terms is TOOL else state(output)
        if isinstance(error, Exception):
            given.update(failure_of(error, recorder.config, terms.failing))
        elif error is not None:  # it was told to stop, which is nobody's failure
            given.update(is_error=False, error_type=type(error).__name__)
            if terms is TOOL:
                given["success"] = False
        if terms.kind is ToolCall:
            given["input_schema"] = self.about.input_schema
            if context is not None and "session_id" not in given:
                # A model call that brings the result back to the model need not report it again.
                context.trace.tools_by_hand[self.about.name] += 1
        with Inside(context):
            recorder.record(terms.kind, given, _ANYWHERE, by_hand=False)

    def _tell(self, error: BaseException) -> None:
        on_error = self.about.on_error
        if on_error is not None and isinstance(error, Exception):
            with suppress(AmplitudeAIError), shielded("on_error"):
                on_error(error, self.about.name)
