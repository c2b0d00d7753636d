"""The events that evaluation adds after a session; an application never sends them itself."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from msgspec import UNSET

from .base import AgentEvent, Maybe
from .fields import Content, about


class _ServerEvent(AgentEvent, kw_only=True):
    is_server_side: ClassVar[bool] = True

    evaluation_source: Annotated[str, about("Who judged: always 'ai' here.")]
    taxonomy_version: Annotated[str, about("The version of the evaluation's configuration.")]
    evaluated_at: Annotated[int, about("When the session was evaluated, in ms since the epoch.")]


class _Rollup(_ServerEvent, kw_only=True):
    turn_count: Annotated[int, about("How many exchanges the session had.")]
    session_total_tokens: Annotated[Maybe[int], about("Tokens of all its model calls.")] = UNSET
    session_cost_usd: Annotated[Maybe[float], about("Cost of all its model calls, in US dollars.")] = UNSET
    session_avg_latency_ms: Annotated[Maybe[float], about("Mean latency of its answers, in ms.")] = UNSET
    enrichment_cost_usd: Annotated[Maybe[float], about("What evaluating it cost, in US dollars.")] = UNSET
    models_used: Annotated[Maybe[list[str]], about("The models it used.")] = UNSET
    root_agent_name: Annotated[Maybe[str], about("The agent it began with.")] = UNSET
    agent_chain: Annotated[Maybe[list[str]], about("The agents it passed through, in order.")] = UNSET
    agent_chain_depth: Annotated[Maybe[int], about("How many agents it passed through.")] = UNSET
    has_data_quality_issues: Annotated[bool, about("Whether its data or answers had quality problems.")]


class SessionEvaluation(_Rollup, kw_only=True, tag="[Agent] Session Evaluation"):
    """What evaluation found out about a session as a whole."""

    summary: ClassVar[str] = "The evaluation of a session: outcome, flags, roll-ups."

    overall_outcome: Annotated[str, about("How it came out: 'success', 'failure', 'abandoned' and so on.")]
    request_complexity: Annotated[Maybe[str], about("'simple', 'moderate', 'complex' or 'ambiguous'.")] = (
        UNSET
    )
    has_task_failure: Annotated[bool, about("Whether the agent failed to do what was asked.")]
    has_negative_feedback: Annotated[bool, about("Whether the user showed dissatisfaction.")]
    has_technical_failure: Annotated[bool, about("Whether tools or services failed technically.")]
    has_user_feedback: Annotated[bool, about("Whether the user scored it.")]
    user_score: Annotated[Maybe[float], about("The user's scores together, 0.0 to 1.0.")] = UNSET
    quality_score: Annotated[Maybe[float], about("The quality found, 0.0 to 1.0.")] = UNSET
    sentiment_score: Annotated[Maybe[float], about("The user's mood as found, 0.0 to 1.0.")] = UNSET
    task_failure_type: Annotated[Maybe[str], about("The kind of failure.")] = UNSET
    task_failure_reason: Annotated[Maybe[str], about("Why it failed.", content=Content.TEXT)] = UNSET
    technical_error_count: Annotated[Maybe[int], about("How many technical errors occurred.")] = UNSET
    error_categories: Annotated[Maybe[list[str]], about("The kinds of error that occurred.")] = UNSET
    behavioral_patterns: Annotated[Maybe[list[str]], about("Patterns such as 'retry_storm'.")] = UNSET
    project_id: Annotated[Maybe[str], about("The project the session belongs to.")] = UNSET


class TopicClassification(_ServerEvent, kw_only=True, tag="[Agent] Topic Classification"):
    """Where a session falls in one model of topics."""

    summary: ClassVar[str] = "A session's place in one topic model."

    topic: Annotated[str, about("The topic model, for example 'product_area'.")]
    selection_mode: Annotated[str, about("'single' or 'multiple'.")]
    primary: Annotated[Maybe[str], about("The main topic.")] = UNSET
    secondary: Annotated[Maybe[list[str]], about("Further topics.")] = UNSET
    subcategories: Annotated[Maybe[list[str]], about("Finer topics within the main one.")] = UNSET


class SessionRecord(_Rollup, kw_only=True, tag="[Agent] Session Record"):
    """Signals and roll-ups of a session, one event for each."""

    summary: ClassVar[str] = "The always-on signals of a session, with its roll-ups."

    signals: Annotated[
        Maybe[Any], about("Each signal's verdict, as a JSON object.", content=Content.TEXT, json=True)
    ] = UNSET


class EvaluatorResult(_ServerEvent, kw_only=True, tag="[Agent] Evaluator Result"):
    """What one evaluator said of a session."""

    summary: ClassVar[str] = "One evaluator's verdict on a session."

    evaluator_name: Annotated[str, about("The evaluator.")]
    evaluator_output_type: Annotated[str, about("'binary', 'classification' or 'score'.")]
    evaluator_model: Annotated[Maybe[str], about("The model that judged, where one did.")] = UNSET
    detected: Annotated[Maybe[bool], about("Whether what it looks for was found.")] = UNSET
    rationale: Annotated[Maybe[str], about("Why, in words.", content=Content.TEXT)] = UNSET
    evidence: Annotated[
        Maybe[Any], about("Quotes that show it, as a JSON array.", content=Content.TEXT, json=True)
    ] = UNSET


SERVER_EVENTS: tuple[type[AgentEvent], ...] = (
    SessionEvaluation,
    TopicClassification,
    SessionRecord,
    EvaluatorResult,
)
