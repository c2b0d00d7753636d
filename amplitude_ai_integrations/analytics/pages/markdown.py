"""The safe part of Markdown: emphasis, lists, code, tables, links that say where they lead."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

from .text import NUL_STAND_IN, said, tamed

_MOST_CHARACTERS = 64_000
_LINK_SCHEMES = frozenset({"http", "https", "mailto"})
_Env = MutableMapping[str, Any]


def _is_safe_link(url: str) -> bool:
    try:
        return urlsplit(url).scheme.lower() in _LINK_SCHEMES
    except ValueError:
        return False


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.path.rpartition("@")[2] if parts.scheme == "mailto" else parts.hostname or ""


class _Renderer(RendererHTML):
    """Writes text through the same marks as everywhere else, and no element that loads anything."""

    def text(self, tokens: Sequence[Token], idx: int, options: Any, env: _Env) -> str:
        return str(said(tokens[idx].content))

    def code_inline(self, tokens: Sequence[Token], idx: int, options: Any, env: _Env) -> str:
        return f"<code>{said(tokens[idx].content)}</code>"

    def code_block(self, tokens: Sequence[Token], idx: int, options: Any, env: _Env) -> str:
        return f"<pre tabindex=0><code>{said(tokens[idx].content)}</code></pre>"

    fence = code_block

    def heading_open(self, tokens: Sequence[Token], idx: int, options: Any, env: _Env) -> str:
        return "<p><b>"

    def heading_close(self, tokens: Sequence[Token], idx: int, options: Any, env: _Env) -> str:
        return "</b></p>"

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: _Env) -> str:
        url = str(tokens[idx].attrs.get("href", ""))
        return f'<a href="{escape(url)}" target=_blank rel="noreferrer noopener">'

    def link_close(self, tokens: Sequence[Token], idx: int, options: Any, env: _Env) -> str:
        opening = idx
        while opening > 0 and tokens[opening].type != "link_open":
            opening -= 1
        host = _host(str(tokens[opening].attrs.get("href", "")))
        shown = "".join(token.content for token in tokens[opening + 1 : idx])
        return "</a>" if not host or host in shown else f"</a> <span class=host>({said(host)})</span>"

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: _Env) -> str:
        token = tokens[idx]
        words, url = token.content or "image", str(token.attrs.get("src", ""))
        return (
            f'<a href="{escape(url)}" target=_blank rel="noreferrer noopener">{said(words)}</a>'
            f" <span class=host>(image on {said(_host(url))}, not loaded)</span>"
        )

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: _Env) -> str:
        return '<div class=scroll tabindex=0 role=region aria-label="Table in the message"><table>'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: _Env) -> str:
        return "</table></div>"

    def th_open(self, tokens: Sequence[Token], idx: int, options: Any, env: _Env) -> str:
        return "<th>"

    def td_open(self, tokens: Sequence[Token], idx: int, options: Any, env: _Env) -> str:
        return "<td>"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}, renderer_cls=_Renderer)
    parser.enable(["table", "strikethrough"])
    parser.disable(["reference", "html_block", "html_inline"])
    parser.validateLink = _is_safe_link  # type: ignore[method-assign]
    return parser


_PARSER = _parser()


def markdown(text: str) -> Markup:
    """A message as HTML; beyond 64,000 characters as plain text, since formatting that helps nobody."""
    if len(text) > _MOST_CHARACTERS:
        return Markup("<p class=pre>") + said(text) + Markup("</p>")
    source = tamed(text).replace("\0", NUL_STAND_IN)
    return Markup(_PARSER.render(source).strip())  # noqa: S704 - the renderer escapes every text and url
