"""No text, however hostile, takes more than its length."""

from __future__ import annotations

import time

import pytest

from amplitude_ai_integrations import AIConfig
from amplitude_ai_integrations.privacy.redaction import Redactor

ENOUGH = 0.002  # seconds that a measured text takes at least, unless it is as long as LONGEST
LONGEST = 1_000_000
WORST = 2.3  # times as long, for twice the text

# fmt: off
PIECES = [
    "a", "1", "1 ", "1.", "f", ":", "::", ":1", "1:1:", ":a:", "@", "a.", "a@", "a@a.", "a" * 63 + "@", "@" + "a." * 3,
    "%40", "a%40a.a", "x@y.zz:aaaaaaaaaaaaaaaaa", "git@a.b:", "用户@", "é@é.", "é1",
    "1.1.1.1 ", "1.1.1.1.", "1.2.3.4 and ", "version ", "(1) ", "((415) ", "(", "+1", "+1 ", "+1-", "%2B1", "+49 (0)30 ",
    "01 02 ", "415-", "415-555-", "123-45-", "4111 ", "4111 1111 ", "DE89", "DE89 ", "AB12CDEF", "phone 1234567 ",
    "1\u00a0", "0", "0x", "call ",
    "sk-", "sk-a-", "sk_live_", "xoxb-", "AKIA", "ghp_aaaaaaaaaaaaaaaaaaaa-", "hooks.slack.com/services/",
    "eyJ", "eyJ.", "eyJaaaaaaaaaaaaa.", "bearer ", "Bearer a", "Bearer " + "a." * 50, "basic QQ==",
    "-----BEGIN X-----", "-----BEGIN PRIVATE KEY-----", "-----END", "-", "--", "--token ", "-u a:",
    "=", "a=", "a=b&", "key=", "password=", "password=a ", "password: 'a", "password is ", "assword 'aaaaa",
    "cookie: a=b; ", "cookie=x=", "cookie=x=" * 455 + "; a=", "api_key=", "://", "://a:", "://a:b@",
    "data:", "data:a/b;", "data:;;;;", "data:image/png;base64,A ", "data:image/png;base64,A\n", "iVBORw0KG", "/9j/",
    "UklGR\n", "A\\/", "A1b2C3d4" * 4 + " ", "A1b2",
    "{", "[", '{"', '["', '"', '\\"', '{"a":', '{"{"', '"a":"\\u0040",', "\n", "  ", "\ud800",
]
# fmt: on
JSON = [
    ('{"a":[', '"a@b.io",', "1]}"),
    ("{", '"a@b.io":1,', '"a":1}'),
    ("[", '{"phone":4155551234},', "1]"),
    ('["', "\\n\\u0040 a@b.io ", '"]'),
    ('"data:image/png;base64,', "AAAA\\/", '"'),
    ("ghp_", "a", "-"),
    ("eyJ", "a", "."),
]


@pytest.mark.parametrize(("start", "piece", "end"), [*(("", piece, "") for piece in PIECES), *JSON])
def test_twice_the_text_takes_twice_the_time(start: str, piece: str, end: str) -> None:
    redactor = Redactor(AIConfig())

    def took(count: int) -> float:
        text = start + piece * count + end
        best = float("inf")
        for _ in range(3):
            begun = time.process_time()
            redactor.text(text)
            best = min(best, time.process_time() - begun)
        return best

    count = 2_000 // len(piece) + 1
    while took(count) < ENOUGH and count * len(piece) < LONGEST:
        count *= 2
    ratios = (took(2 * count) / took(count) for _ in range(4))  # again, where the machine was busy
    assert any(ratio <= WORST for ratio in ratios)
