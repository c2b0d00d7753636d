"""The customer's own judgements: labels, topics, rubrics, and the session's outcome.

Each field says what kind of words it holds, so that the privacy gate can treat these as it treats the
events. Unmarked fields are numbers, flags and names.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from .fields import Content

_JUDGEMENT = {"content": Content.JUDGEMENT}
_QUOTED = {"content": Content.TEXT}


def _plain(value: object) -> Any:
    if isinstance(value, Enrichment):
        return value.to_dict()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value


class Enrichment:
    """Base of the value types; ``to_dict()`` leaves out what is not set."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields that are set, nested values as dictionaries too."""
        values = ((item.name, getattr(self, item.name)) for item in fields(self))  # type: ignore[arg-type]  # each subclass is a dataclass
        return {name: _plain(value) for name, value in values if value is not None}


@dataclass
class MessageLabel(Enrichment):
    """A key and value attached to a message; ``confidence`` runs from 0.0 to 1.0."""

    key: str = field(metadata=_JUDGEMENT)
    value: str = field(metadata=_JUDGEMENT)
    confidence: float | None = None


@dataclass
class EvidenceQuote(Enrichment):
    """Words from the conversation that support a score; ``turn_index`` counts from 0."""

    quote: str = field(metadata=_QUOTED)
    turn_index: int
    role: str | None = None


@dataclass
class TopicClassification(Enrichment):
    """A session's place in a topic model: ``l1`` for one choice, ``values`` and ``primary`` for several."""

    l1: str | None = field(default=None, metadata=_JUDGEMENT)
    values: list[str] | None = field(default=None, metadata=_JUDGEMENT)
    primary: str | None = field(default=None, metadata=_JUDGEMENT)
    l2: str | None = field(default=None, metadata=_JUDGEMENT)
    subcategories: list[str] | None = field(default=None, metadata=_JUDGEMENT)
    topics_covered: list[str] | None = field(default=None, metadata=_JUDGEMENT)
    outcomes_by_topic: dict[str, str] | None = field(default=None, metadata=_JUDGEMENT)


@dataclass
class RubricScore(Enrichment):
    """A session's score on one rubric, from 0.0 to 1.0."""

    name: str
    score: float
    rationale: str | None = field(default=None, metadata=_JUDGEMENT)
    evidence: list[EvidenceQuote] | None = None
    improvement_opportunities: str | None = field(default=None, metadata=_JUDGEMENT)


@dataclass
class SessionEnrichments(Enrichment):
    """Everything you found out about a session, in one structure."""

    topic_classifications: dict[str, TopicClassification] | None = field(default=None, metadata=_JUDGEMENT)
    rubrics: list[RubricScore] | None = None
    overall_outcome: str | None = None
    quality_score: float | None = None
    sentiment_score: float | None = None
    has_task_failure: bool = False
    has_negative_feedback: bool = False
    has_data_quality_issues: bool = False
    has_technical_failure: bool = False
    task_failure_type: str | None = None
    task_failure_reason: str | None = field(default=None, metadata=_JUDGEMENT)
    negative_feedback_phrases: list[str] | None = field(default=None, metadata=_JUDGEMENT)
    data_quality_issues: list[str] | None = field(default=None, metadata=_JUDGEMENT)
    technical_error_count: int | None = None
    agent_chain: list[str] | None = None
    root_agent_name: str | None = None
    request_complexity: str | None = None
    error_categories: list[str] | None = field(default=None, metadata=_JUDGEMENT)
    behavioral_patterns: list[str] | None = field(default=None, metadata=_JUDGEMENT)
    user_friction: list[str] | None = field(default=None, metadata=_JUDGEMENT)
    custom_metadata: dict[str, Any] | None = field(default=None, metadata=_JUDGEMENT)
    schema_version: str = "2.0"
    message_labels: dict[str, list[MessageLabel]] | None = field(default=None, metadata=_JUDGEMENT)
