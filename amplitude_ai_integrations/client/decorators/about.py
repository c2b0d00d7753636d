"""What a decorator knows of its function before any call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ...exceptions import shielded
from ...schema.base import AgentEvent
from ...schema.events import Span, ToolCall
from ..tracker import CallFields
from .arguments import Arguments, name_of
from .rationale import RATIONALE
from .schema import schema_of

if TYPE_CHECKING:
    from ..client import AmplitudeAI

# What a call may say for itself, and the field it fills; one conversation is one session.
KEYWORDS: Final = {f"amplitude_{name}": name for name in CallFields.__annotations__}
KEYWORDS["amplitude_conversation_id"] = "session_id"


class Terms(NamedTuple):
    """The event a call becomes, and the keywords that carry its parts."""

    kind: type[AgentEvent]
    name: str
    input: str
    output: str
    failing: str  # who it was that failed


TOOL: Final = Terms(ToolCall, "tool_name", "input", "output", "tool")
SPAN: Final = Terms(Span, "span_name", "input_state", "output_state", "application")


class About:
    """A decorated function: its name and arguments, and what was given for its calls."""

    def __init__(
        self,
        function: Callable[..., Any],
        has_receiver: bool | None,
        terms: Terms,
        *,
        name: str | None,
        ai: AmplitudeAI | None,
        fields: Mapping[str, Any],
        kind: str = "span",
        input_schema: bool | Mapping[str, Any] = False,
        on_error: Callable[[Exception, str], object] | None = None,
        rationale: str | None = None,
    ) -> None:
        self.function = function
        self.terms = terms
        self.name = name or name_of(function)
        self.ai = ai
        self.fields = fields
        self.kind = kind
        self.on_error = on_error
        self.arguments = Arguments(function, has_receiver)
        self.keywords = KEYWORDS.keys() - self.arguments.names
        self.rationale = rationale  # what a model is told of that parameter, where it is offered
        self.offers_rationale = rationale is not None and RATIONALE not in self.arguments.names
        self._input_schema = input_schema

    @cached_property
    def input_schema(self) -> Mapping[str, Any] | None:
        """The schema of the arguments, where it is wanted; made late, when all its types are defined."""
        if self._input_schema is not True:
            return self._input_schema or None
        with shielded("input_schema"):
            return schema_of(self.function, self.arguments.receiver)
        return None
