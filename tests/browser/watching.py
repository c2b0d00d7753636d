"""A served sample store, and what its pages do in a browser."""

from __future__ import annotations

from typing import Any

from tests.pages.sample import Reader


class Site:
    """A served sample store, and what its pages did that they should not."""

    def __init__(self, address: str, app: Any, reader: Reader) -> None:
        self.address, self.app, self.reader = address, app, reader

    def change(self, detail: Any, *, is_new: bool = False) -> None:
        """Store a session and tell the open pages."""
        self.reader.put(detail)
        session_id = detail.row.session_id
        self.app.state.live.tell((session_id,), (session_id,) if is_new else ())


def watched(page: Any) -> list[str]:
    """Collect what a page complains about and whom it calls."""
    faults: list[str] = []
    page.on("console", lambda line: faults.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: (faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on(
        "request",
        lambda request: (
            faults.append(request.url) if not request.url.startswith("http://127.0.0.1:") else None
        ),
    )
    return faults


def connected(page: Any) -> None:
    """Wait until the page's stream is open."""
    page.wait_for_selector("#live[data-state=open]", state="attached")
