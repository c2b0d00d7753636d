"""The programs in the documentation: where they stand, what they print, and how they are run."""

from __future__ import annotations

import re
from contextvars import copy_context
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))

_FENCE = re.compile(r"(?:<!-- (?P<mark>[a-z ]+) -->\n)?```python\n(?P<code>.*?)```", re.DOTALL)


class Block(NamedTuple):
    """A program of a page; ``mark`` is what a comment right above it says of how to run it."""

    page: Path
    line: int
    code: str
    mark: str | None

    @property
    def name(self) -> str:
        return f"{self.page.stem}:{self.line}"

    @property
    def is_test(self) -> bool:
        """Whether it is a file of tests."""
        return re.search(r"^(?:async )?def test_", self.code, re.MULTILINE) is not None

    @property
    def printed(self) -> str:
        """What it says it prints, line by line behind ``#>``."""
        lines = (line.lstrip() for line in self.code.splitlines())
        return "".join(f"{line[2:].removeprefix(' ')}\n" for line in lines if line.startswith("#>"))

    def run(self, namespace: dict[str, Any]) -> None:
        """Run it; where it fails, the traceback shows the page and its line."""
        program = compile("\n" * self.line + self.code, self.page, "exec", dont_inherit=True)
        copy_context().run(exec, program, namespace)


def blocks_of(page: Path) -> list[Block]:
    """Return the programs of a page."""
    text = page.read_text()
    return [
        Block(page, text.count("\n", 0, match.start("code")), match["code"], match["mark"])
        for match in _FENCE.finditer(text)
    ]
