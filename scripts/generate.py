"""Write what is derived from the code: typed keywords, the catalog, and the tables of the documentation.

``python scripts/generate.py`` writes; with ``--check`` it writes nothing and fails if a file is stale.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from pages import reference, settings, what_leaves

from amplitude_ai_integrations.client.positional import POSITIONAL
from amplitude_ai_integrations.schema.base import AgentEvent
from amplitude_ai_integrations.schema.catalog import Field, catalog, fields_of
from amplitude_ai_integrations.schema.events import SDK_EVENTS

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = {
    "AIResponse": [
        "usage: Any",
        "auto_calculate_cost: bool",
        "service_tier: str | None",
        "omit_repeated_content: bool",
    ],
    "Embedding": ["usage: Any", "auto_calculate_cost: bool", "service_tier: str | None"],
}
TYPES = {str: "str", int: "int", float: "float", bool: "bool", Any: "Any"}

KEYWORDS_HEAD = '''"""Typed keywords of the public methods. Made by `scripts/generate.py` from the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from ..schema.enrichments import MessageLabel, SessionEnrichments


class EnvelopeFields(TypedDict, total=False):
    """What every method takes besides the event's own properties."""

    device_id: str | None
    browser_session_id: str | int | None
    groups: Mapping[str, str | Sequence[str]] | None
    event_properties: Mapping[str, Any] | None
    user_properties: Mapping[str, Any] | None
    timestamp_ms: int | None
'''


def keywords() -> str:
    parts = [KEYWORDS_HEAD]
    common = {field.name for field in fields_of(AgentEvent)}
    taken = {name for client, _bound in POSITIONAL.values() for name in client}
    shared = [field for field in fields_of(AgentEvent) if _argument(field) and _argument(field) not in taken]
    parts.append(_typed_dict("CommonFields", "EnvelopeFields", "What every event takes.", shared))
    for event in SDK_EVENTS:
        client, bound = POSITIONAL[event]
        own = [field for field in fields_of(event) if _argument(field)]
        rest = [
            field
            for field in own
            if _argument(field) not in client and (field.name not in common or field not in shared)
        ]
        extra = EXTRAS.get(event.__name__, [])
        parts.append(_typed_dict(f"{event.__name__}Fields", "CommonFields", event.summary, rest, extra))
        more = [field for field in own if _argument(field) in client and _argument(field) not in bound]
        name = f"Bound{event.__name__}Fields"
        words = "The same, where a session or an agent is bound."
        parts.append(_typed_dict(name, f"{event.__name__}Fields", words, more, ["user_id: str | None"]))
    return "\n\n".join(parts)


def _with_table(page: Path, name: str, table: str) -> str:
    """Return a page that people write, with the table between two comments made anew."""
    begin, end = f"<!-- {name}: made by scripts/generate.py -->\n", f"\n<!-- end of {name} -->"
    text = page.read_text()
    return text[: text.index(begin) + len(begin)] + table + text[text.index(end) :]


def _argument(field: Field) -> str | None:
    return None if field.about.derived else field.about.argument or field.name


def _typed_dict(name: str, base: str, words: str, fields: list[Field], extra: list[str] | None = None) -> str:
    lines = [f"class {name}({base}, total=False):", f'    """{words}"""', ""]
    lines += [f"    {_argument(field)}: {_type(field)} | None" for field in fields]
    lines += [f"    {line}" for line in extra or []]
    return "\n".join(lines) + "\n"


def _type(field: Field) -> str:
    return field.about.accepts or TYPES.get(field.type) or "Sequence[str]"


def formatted(text: str) -> str:
    command = [sys.executable, "-m", "ruff", "format", "-", "--stdin-filename", "keywords.py"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if a file is stale")
    check = parser.parse_args().check
    configuration = ROOT / "docs/configuration.md"
    outputs = {
        ROOT / "amplitude_ai_integrations/client/keywords.py": formatted(keywords()),
        ROOT / "docs/events.md": reference(),
        ROOT / "docs/what-leaves.md": what_leaves(),
        configuration: _with_table(configuration, "settings", settings()),
        ROOT / "docs/catalog.json": json.dumps(catalog(), indent=1) + "\n",
    }
    stale = [path for path, text in outputs.items() if not path.exists() or path.read_text() != text]
    if not check:
        for path in stale:
            path.write_text(outputs[path])
            print(f"wrote {path.relative_to(ROOT)}")
        return 0
    for path in stale:
        print(f"{path.relative_to(ROOT)} is stale: run `python scripts/generate.py`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
