"""The pages and tables of the documentation that are derived from the code."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
from typing import Any
from unittest.mock import patch

from amplitude_ai_integrations.config import AIConfig, ContentMode
from amplitude_ai_integrations.privacy.modes import LEAVES
from amplitude_ai_integrations.schema.catalog import catalog, event_type, fields_of
from amplitude_ai_integrations.schema.enrichments import Enrichment
from amplitude_ai_integrations.schema.events import SDK_EVENTS
from amplitude_ai_integrations.schema.fields import Content

SAID = {
    Content.TEXT: ("Words", "what a person, a model or a tool said"),
    Content.CONTEXT: ("Dimensions", "your own dimensions"),
    Content.JUDGEMENT: ("Judgements", "your own labels, tags and enrichments"),
}
SWITCHES = {
    "content_mode": "chooses the column above",
    "redact_pii": "`False`: what is redacted above leaves as it was written, but for files and images",
    "custom_redaction_patterns": "more is replaced",
    "custom_redaction_fn": "more is replaced",
    "context_keys": "these keys of `context` leave in every mode, redacted",
    "before_send": "sees each event last, and may change or drop it",
    "capture_stack_trace": "adds where in your code an error arose, to the words",
    "git_sha": "is on every event where it is known, as are `git_ref` and `git_repo`",
    "session_sample_rate": "sessions that are not kept do not leave",
    "propagate_context": "session, trace and agent ids go along to other services; a user's id never does",
    "debug": "also prints a line an event, without words",
    "dry_run": "nothing leaves; a line an event is printed",
    "review_mode": "nothing leaves; events are kept for you to read",
    "enabled": "`False`: nothing leaves",
}


def reference() -> str:
    lines = [
        "# Events",
        "",
        "Made by `scripts/generate.py` from the schema. Required properties are in bold.",
        "",
    ]
    for event in catalog():
        side = " It comes from evaluation; applications do not send it." if event["server_side"] else ""
        lines += [f"## {event['name']}", "", f"{event['description']}{side}", ""]
        lines += ["| property | type | words | what it says |", "|---|---|---|---|"]
        for item in event["properties"]:
            name = f"**{item['name']}**" if item["required"] else item["name"]
            kind = item["type"] + ("[]" if item["is_array"] else "")
            lines.append(f"| {name} | {kind} | {item['content'] or ''} | {item['description']} |")
        lines.append("")
    lines += [
        "The column *words* tells what leaves in which content mode: `full` sends all of them (redacted);",
        "`customer_enriched` only *judgement*; `metadata_only` none. Properties without an entry are",
        "numbers, flags, names and ids and are sent in every mode.",
        "",
    ]
    return "\n".join(lines)


def what_leaves() -> str:
    lines = [
        "# What leaves",
        "",
        "Made by `scripts/generate.py` from the schema, by which the gate works too. What is redacted is in",
        "[privacy](privacy.md#redaction), what each property means in [events](events.md).",
        "",
        f"| | {' | '.join(f'`{mode.value}`' for mode in ContentMode)} |",
        "|---|---|---|---|",
    ]
    for content, (title, words) in SAID.items():
        cells = " | ".join(_leaves(content, mode) for mode in ContentMode)
        lines.append(f"| [{words}](#{title.lower()}) | {cells} |")
    lines += [
        "| `event_properties` of yours | redacted | numbers and booleans | numbers and booleans |",
        "| [ids, numbers, flags, names of agents, tools and models](#the-rest) | whole | whole | whole |",
        "| user, device, groups, time: what stands around the properties | whole | whole | whole |",
    ]
    for content, (title, _words) in SAID.items():
        lines += ["", f"## {title}", "", "| property | of |", "|---|---|"]
        lines += [f"| `{name}` | {', '.join(events)} |" for name, events in _properties(content).items()]
    rest = [f"`{name}`" for name in sorted(_properties(None))]
    lines += ["", "## Enrichments", "", *_enrichments(), "", "## The rest", "", ", ".join(rest)]
    lines += ["", "## What changes it", "", "| setting | |", "|---|---|"]
    lines += [f"| `{name}` | {words} |" for name, words in SWITCHES.items()]
    return "\n".join([*lines, ""])


def _leaves(content: Content, mode: ContentMode) -> str:
    if content in LEAVES[mode]:
        return "redacted"
    return "keys in `context_keys`, redacted" if content is Content.CONTEXT else "no"


def _properties(content: Content | None) -> dict[str, list[str]]:
    """Return the properties that hold one kind of words, and the events each belongs to."""
    found: dict[str, list[str]] = {}
    for event in SDK_EVENTS:
        for field in fields_of(event):
            if field.about.content is content:
                found.setdefault(field.wire, []).append(event_type(event).removeprefix("[Agent] "))
    return {
        name: ["all events"] if len(events) == len(SDK_EVENTS) else events for name, events in found.items()
    }


def _enrichments() -> list[str]:
    kinds = (None, Content.JUDGEMENT, Content.TEXT)
    modes = [[f"`{mode.value}`" for mode in ContentMode if kind in LEAVES[mode]] for kind in kinds]
    lines = [
        "What `[Agent] Enrichments` is made of. All is redacted; what is nested leaves where its field does.",
        "In `metadata_only` those are numbers, flags, and names that look like names (letters, digits and",
        "`_.:/-`, 64 at most), so that no sentence passes for one.",
        "",
        f"| | {' | '.join(', '.join(names) or 'every mode' for names in modes)} |",
        "|---|---|---|---|",
    ]
    for kind in reversed(Enrichment.__subclasses__()):
        cells = (
            ", ".join(
                f"`{item.name}`" for item in dataclasses.fields(kind) if item.metadata.get("content") is held
            )
            for held in kinds
        )
        lines.append(f"| `{kind.__name__}` | {' | '.join(cells)} |")
    return lines


class _Environment(dict[str, str]):
    """An empty environment that notes what is looked for."""

    def get(self, name: str, default: Any = None) -> Any:
        self[name] = ""
        return default


def settings() -> str:
    """Return a table of what ``AIConfig`` takes, from the class itself."""
    words = dict(re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", inspect.getdoc(AIConfig) or "", re.MULTILINE))
    lines = ["| setting | environment | default | |", "|---|---|---|---|"]
    for item in dataclasses.fields(AIConfig):
        environment, default = _Environment(), item.default
        if callable(item.default_factory):
            with patch.object(os, "environ", environment):
                default = item.default_factory()
        names = ", ".join(f"`{name}`" for name in environment)
        text = " ".join(words[item.name].split()).replace("``", "`")
        lines.append(f"| `{item.name}` | {names} | {_default(default)} | {text} |")
    return "\n".join(lines)


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None or value == ():
        return ""
    return f"`{getattr(value, 'value', value)}`"
