"""A model call that is over when it is heard of: recorded as an observed one, at the times of its span."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..calls.direct import Direct
from ..calls.facts import ResponseFacts
from ..calls.observation import Observation
from ..client.client import AmplitudeAI
from ..schema.base import AgentEvent
from ..schema.events import AIResponse, Embedding, Score, ToolCall
from .otel_spans import SpanFacts

_MILLISECOND = 1_000_000
_EVALUATION = "gen_ai.evaluation.result"


class SpanCall(Observation):
    """Records the call that a span tells of, in the context that is active."""

    _is_live = False

    def __init__(self, ai: AmplitudeAI, facts: SpanFacts, keywords: Mapping[str, Any]) -> None:
        self._facts = facts
        request, words = facts.request()
        super().__init__(
            ai, Direct(words), request, keywords, is_streaming=bool(facts.is_streaming), propagates=False
        )

    def tell(self, beneath: ResponseFacts | None = None) -> None:
        """Record how the call ended; ``beneath`` is what another span of the same call knows of it."""
        answer = self._facts.answer()
        failure, stopped = self._facts.failure, self._facts.stopped
        self._beneath = beneath
        self._came = answer
        if stopped is not None:
            self._end(answer, {"error_type": stopped, "stream_abandoned": self._is_streaming or None})
        elif failure is not None:
            self.failed(failure)
        else:
            self.returned(answer)
        self._scores()

    def _said(self) -> None:
        self._started -= (time.time_ns() - self._facts.started) / 1e9
        super()._said()

    def _record(self, kind: type[AgentEvent], given: dict[str, Any], question: object = None) -> None:
        is_answer = kind in (AIResponse, Embedding)
        given["timestamp_ms"] = (self._facts.ended if is_answer else self._facts.started) // _MILLISECOND
        if is_answer:
            given["latency_ms"] = self._facts.latency_ms
        if kind is AIResponse:
            given["ttfb_ms"] = self._facts.ttfb_ms
            given["is_streaming"] = self._facts.is_streaming
        elif kind is ToolCall:
            given["latency_ms"] = max(0, given.get("latency_ms") or 0)
        super()._record(kind, given, question)

    def _scores(self) -> None:
        """Record the evaluations that are noted on the call's span."""
        for name, event in self._facts.events:
            value = event.get("gen_ai.evaluation.score.value")
            if name == _EVALUATION and isinstance(value, (int, float)):
                given = {
                    "name": event.get("gen_ai.evaluation.name"),
                    "value": value,
                    "target_id": self._message_id,
                    "source": "ai",
                    "comment": event.get("gen_ai.evaluation.explanation"),
                }
                super()._record(Score, given)
