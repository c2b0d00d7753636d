"""Token counts by the tokenizer itself, where its vocabulary is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import tiktoken

from amplitude_ai_integrations.pricing.tokens import _encoding, estimate_tokens


@pytest.fixture(autouse=True)
def _no_vocabulary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tiktoken.registry, "ENCODINGS", {})
    _encoding.cache_clear()
    yield
    _encoding.cache_clear()


@pytest.fixture
def _bytes() -> None:
    """Load a vocabulary in which each byte is a token."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    tiktoken.registry.ENCODINGS["o200k_base"] = tiktoken.Encoding(
        "o200k_base", pat_str=r"\w+|\W", mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 256}
    )


@pytest.mark.usefixtures("_bytes")
@pytest.mark.parametrize("model", ["gpt-4o", "openai/gpt-4o", "azure:gpt-4o"])
@pytest.mark.parametrize("text", ["hello", "Grüße, 世界", "<|endoftext|>"])
def test_a_vocabulary_at_hand_counts_exactly(text: str, model: str) -> None:
    assert estimate_tokens(text, model) == len(text.encode())


@pytest.mark.usefixtures("_bytes")
def test_half_a_character_is_counted_too() -> None:
    assert estimate_tokens("a\ud800", "gpt-4o") > 1


@pytest.mark.usefixtures("_bytes")
def test_models_of_others_are_estimated() -> None:
    assert estimate_tokens("hello world", "claude-sonnet-4") == 2


@pytest.mark.usefixtures("_bytes")
def test_a_word_of_many_thousand_letters_is_estimated() -> None:
    assert estimate_tokens("a" * 900, "gpt-4o") == 900
    assert estimate_tokens("a" * 90_000, "gpt-4o") == 9_000


@pytest.mark.parametrize("has_folder", [True, False])
def test_a_vocabulary_is_never_downloaded(monkeypatch: pytest.MonkeyPatch, has_folder: bool) -> None:
    if not has_folder:  # tiktoken then keeps no files at all
        monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: pytest.fail("it asked the network"))
    assert estimate_tokens("hello world", "gpt-4o") == 2
