"""Everything about one step: its error, its facts, what went in and what came out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..model import SessionDetail, Step, Turn
from . import words
from .margins import is_complaint, score_in_words, standing
from .waterfall import find_step, step_name, walk


@dataclass(frozen=True, slots=True)
class Fact:
    """A label with its value; ``is_code`` where the value is an id or a name of code."""

    label: str
    value: str
    is_code: bool = False
    tone: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """A piece of content: JSON or text, or Markdown where an agent wrote it for people."""

    label: str
    text: str
    is_markdown: bool = False


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the inspector shows of a step."""

    step: Step
    name: str
    facts: tuple[Fact, ...]
    bodies: tuple[Body, ...]
    siblings: tuple[Fact, ...]


def inspection(detail: SessionDetail, step_id: str | None) -> Inspection | None:
    """The step with this id, or None where the session has none."""
    if not step_id:
        return None
    for turn in detail.turns:
        step = find_step(turn, step_id)
        if step is not None:
            return Inspection(
                step=step,
                name=step_name(step) if step.kind != "model" else step.model or step.name,
                facts=tuple(_facts(step, turn)),
                bodies=tuple(_bodies(step)),
                siblings=tuple(_siblings(step, detail)),
            )
    return None


def _facts(step: Step, turn: Turn) -> Iterator[Fact]:
    into = words.duration(max(step.started_ms - turn.started_ms, 0))
    yield Fact("Started", f"{words.exact_clock(step.started_ms)}, {into} into turn {turn.number}")
    yield Fact("Time", _time(step, turn))
    caller = next(
        (parent for parent, _ in walk(turn) if any(child is step for child in parent.children)), None
    )
    if caller is not None:
        yield Fact("Called by", step_name(caller))
    if step.agent:
        yield Fact(
            "Agent", f"{step.agent}, asked by {step.parent_agent}" if step.parent_agent else step.agent
        )
    if step.error_type:
        yield Fact("Error type", step.error_type)
    yield from _usage(step)
    if step.provider:
        yield Fact("Provider", step.provider)
    if step.finish_reason:
        yield Fact("Finish", step.finish_reason)
    for score in standing(step.scores):
        yield Fact(
            "Feedback",
            score_in_words(score),
            tone="danger" if is_complaint(score) else "",
        )
    if step.step_id:
        yield Fact("Step id", step.step_id, is_code=True)


def _usage(step: Step) -> Iterator[Fact]:
    sign = words.ABOUT if step.is_estimated else ""
    if step.input_tokens is not None:
        cached = f", {words.exact(step.cache_read_tokens)} from cache" if step.cache_read_tokens else ""
        yield Fact("Input", f"{sign}{words.counted(step.input_tokens, 'token')}{cached}")
    if step.output_tokens is not None:
        thought = f", {words.exact(step.reasoning_tokens)} for reasoning" if step.reasoning_tokens else ""
        yield Fact("Output", f"{sign}{words.counted(step.output_tokens, 'token')}{thought}")
    if step.cost_usd is not None:
        yield Fact("Cost", words.cost(step.cost_usd, is_estimated=step.is_estimated))
    elif step.kind == "model" and (step.input_tokens or step.output_tokens):
        yield Fact("Cost", "unknown, this model has no known price")


def _time(step: Step, turn: Turn) -> str:
    if step.latency_ms is None:
        return "not measured"
    parts = [words.duration(step.latency_ms)]
    if step.ttfb_ms is not None:
        parts.append(f"first token {words.duration(step.ttfb_ms)}")
    elif turn.reply_ms:
        parts.append(
            f"{words.percent(round(min(step.latency_ms / turn.reply_ms, 1) * 100), 100)} of the turn"
        )
    return ", ".join(parts)


def _bodies(step: Step) -> Iterator[Body]:
    if step.system_prompt:
        yield Body("System prompt", step.system_prompt)
    if step.reasoning:
        yield Body("Reasoning", step.reasoning)
    if step.input:
        yield Body("Input", step.input)
    if step.tool_calls:
        yield Body("Tool calls", step.tool_calls)
    if step.kind == "model":
        if step.text:
            yield Body("Answer", step.text, is_markdown=True)
    elif step.output:
        yield Body("Output", step.output)


def _siblings(step: Step, detail: SessionDetail) -> Iterator[Fact]:
    use = (
        next((tool for tool in detail.tools if tool.tool == step.name), None) if step.kind == "tool" else None
    )
    if use is None:
        return
    failed = (
        f", {use.failed} failed ({words.percent(use.failed, use.calls)})" if use.failed else ", none failed"
    )
    yield Fact("Calls", f"{use.calls}{failed}")
    yield Fact("p50", words.duration(use.latency_p50_ms))
