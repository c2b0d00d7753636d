"""Hostile text shows what it is and does nothing."""

from __future__ import annotations

import re
import time

import pytest
from markupsafe import Markup

from amplitude_ai_integrations.analytics.pages.json_view import json_view
from amplitude_ai_integrations.analytics.pages.markdown import markdown
from amplitude_ai_integrations.analytics.pages.text import ACTING, defused, one_line, plain, said

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
PERSIAN = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</textarea></title><iframe src=javascript:alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:x) [y](file:///etc/passwd) [z](//evil.example)",
    "![x](javascript:alert(1))",
    "<javascript:alert(1)> <https://evil.example/?<b>>",
    '[x](https://evil.example/"onmouseover="alert(1))',
    "[ref]: javascript:alert(1)\n\n[ref]",
    "`<b>` <b onclick=alert(1)>b</b> &lt;i&gt;",
    "```html\n<script>alert(1)</script>\n```",
    "    <script>alert(1)</script>",
    "| a | <b> |\n|---|---|\n| <img src=x> | [x](javascript:1) |",
    "\u202egpj.exe \u2066x\u2069 \x1b[31m \0 \u200b \ufeff \U000e0041",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("show", [said, one_line, markdown, json_view])
def test_nothing_hostile_becomes_an_element_or_acts(show, text: str) -> None:
    html = str(show(text)).lower()
    for forbidden in (
        "<script",
        "<img",
        "<svg",
        "<iframe",
        "<b onclick",
        "<textarea",
        'href="javascript',
        'href="data',
        'href="vb',
        'href="file',
    ):
        assert forbidden not in html
    assert not re.search(r"<[a-z][^>]*\son\w+\s*=", html)
    assert not ACTING.search(html)


@pytest.mark.parametrize(
    ("char", "name"),
    [("\u202e", "RLO"), ("\x1b", "ESC"), ("\0", "NUL"), ("\u200b", "ZWSP"), ("\u0085", "U+0085"), ("\U000e0041", "U+E0041"), ("\ud800", "U+D800")],
)  # fmt: skip
def test_an_acting_character_becomes_a_chip(char: str, name: str) -> None:
    assert Markup(said(f"a{char}b")).striptags() == f"a{name}b"
    assert Markup(markdown(f"a{char}b")).striptags() == f"a{name}b"


def test_a_run_of_controls_becomes_one_chip() -> None:
    assert Markup(said("\0" * 10_000)).striptags() == "NUL \u00d710,000"


@pytest.mark.parametrize("text", [FAMILY, PERSIAN])
def test_joiners_that_scripts_need_stay(text: str) -> None:
    assert (said(text), markdown(text)) == (text, f"<p>{text}</p>")


def test_a_joiner_between_latin_letters_is_shown() -> None:
    assert "ZWJ" in said("pay\u200dpal")


def test_towers_of_marks_are_cut() -> None:
    assert said("Z" + "\u0301" * 500) == "Z" + "\u0301" * 4


def test_line_breaks_and_tabs_are_text() -> None:
    assert said("a\n\tb") == "a\n\tb"


@pytest.mark.parametrize("kind", ["email", "phone", "credit_card", "ssn", "ip_address", "REDACTED"])
def test_a_redaction_is_a_mark_that_copies_as_it_was(kind: str) -> None:
    html = said(f"to [{kind}].")
    assert html.startswith("to <mark ")
    assert html.striptags() == f"to [{kind}]."


def test_brackets_that_are_no_redaction_stay_text() -> None:
    assert said("a[index] [note]") == "a[index] [note]"


def test_binary_content_is_measured_not_shown() -> None:
    assert said("see data:image/png;base64," + "A" * 2_800_000) == "see (image/png, 2.1 MB, not shown)"


def test_titles_have_no_controls_and_an_end() -> None:
    assert plain("a\u202eb\n\x1bc " + "x" * 200) == "a b c " + "x" * 73 + "\u2026"


def test_any_template_value_is_defused() -> None:
    assert [defused("a\u202eb"), defused(None), defused(3), defused(Markup("<b>"))] == [
        "a[RLO]b",
        "",
        3,
        "<b>",
    ]


def test_the_subset_of_markdown() -> None:
    assert markdown("# Big\n\n**b** *i* `c`\n\n- one\n\n> q\n\n| a |\n|---|\n| 1 |") == (
        "<p><b>Big</b></p><p><strong>b</strong> <em>i</em> <code>c</code></p>\n<ul>\n<li>one</li>\n</ul>\n"
        "<blockquote>\n<p>q</p>\n</blockquote>\n"
        '<div class=scroll tabindex=0 role=region aria-label="Table in the message"><table><thead>\n<tr>\n<th>a</th>\n</tr>\n'
        "</thead>\n<tbody>\n<tr>\n<td>1</td>\n</tr>\n</tbody>\n</table></div>"
    )


def test_a_link_says_where_it_leads() -> None:
    assert markdown("[your bank](https://evil.example/x)") == (
        '<p><a href="https://evil.example/x" target=_blank rel="noreferrer noopener">your bank</a>'
        " <span class=host>(evil.example)</span></p>"
    )
    assert "host" not in markdown("<https://docs.example/x>")


def test_images_are_links_that_load_nothing() -> None:
    assert markdown("![chart](https://cdn.example/c.png)") == (
        '<p><a href="https://cdn.example/c.png" target=_blank rel="noreferrer noopener">chart</a>'
        " <span class=host>(image on cdn.example, not loaded)</span></p>"
    )


def test_json_opens_two_levels_and_unpacks_json_in_strings() -> None:
    assert json_view('{"a": {"b": {"c": 1}}, "s": "{\\"x\\": null}", "l": []}') == (
        '<pre class=json tabindex=0>{\n  <b>"a"</b>: {\n    <b>"b"</b>: '
        '<details><summary>{ 1 item }</summary>{\n      <b>"c"</b>: <var>1</var>\n    }</details>\n  },\n'
        '  <b>"s"</b>: {\n    <b>"x"</b>: <i>null</i>\n  } <em>was text</em>,\n  <b>"l"</b>: []\n}</pre>'
    )


def test_long_json_folds_its_rest() -> None:
    assert "<summary>3 more items</summary>" in json_view(str(list(range(23))))


def test_what_is_no_json_stays_text() -> None:
    assert json_view("{'a': 1}") == "<pre class=json tabindex=0>{&#39;a&#39;: 1}</pre>"


def took(text: str) -> float:
    """Return the least CPU time of three runs."""
    runs = []
    for _ in range(3):
        began = time.process_time()
        markdown(text), said(text), json_view(text), one_line(text)
        runs.append(time.process_time() - began)
    return min(runs)


@pytest.mark.parametrize(
    "piece",
    ["[", "*", ">", "`", "![", "<", "|", "a\u0301", "\u200d", "data:", "- ", "**a ", "[a](", "\n> ", "{", "[]", "[[]]"],
)  # fmt: skip
def test_no_text_makes_a_page_slow(piece: str) -> None:
    short, long = (piece * (size // len(piece)) for size in (5_000, 20_000))
    assert took(long) < 4 * 2.3 * max(took(short), 0.005)
