"""Token counts where the provider gave none."""

from __future__ import annotations

import time

import pytest

from amplitude_ai_integrations.pricing.tokens import estimate_tokens

QUICKSORT = """def quicksort(arr):
    if len(arr) <= 1:
        return arr
    pivot = arr[len(arr) // 2]
    left = [x for x in arr if x < pivot]
    mid = [x for x in arr if x == pivot]
    right = [x for x in arr if x > pivot]
    return quicksort(left) + mid + quicksort(right)"""


@pytest.mark.parametrize(
    ("text", "known"),
    [
        # In o200k_base, as published at https://openai.com/index/hello-gpt-4o/
        ("Hello, my name is GPT-4o. I'm a new type of language model, it's nice to meet you!", 24),
        (
            "Bonjour, je m'appelle GPT-4o. Je suis un nouveau type de modèle de langage, c'est un plaisir de vous rencontrer!",
            28,
        ),
        ("Hola, me llamo GPT-4o. Soy un nuevo tipo de modelo de lenguaje, ¡es un placer conocerte!", 26),
        (
            "Hallo, mein Name is GPT-4o. Ich bin ein neues KI-Sprachmodell. Es ist schön, dich kennenzulernen.",
            29,
        ),
        ("Ciao, mi chiamo GPT-4o. Sono un nuovo tipo di modello linguistico, piacere di conoscerti!", 28),
        ("Merhaba, benim adım GPT-4o. Ben yeni bir dil modeli türüyüm, tanıştığımıza memnun oldum!", 30),  # noqa: RUF001
        ("Xin chào, tên tôi là GPT-4o. Tôi là một loại mô hình ngôn ngữ mới, rất vui được gặp bạn!", 30),
        ("你好，我的名字是GPT-4o。我是一种新型的语言模型，很高兴见到你!", 24),  # noqa: RUF001
        ("こんにちは、私の名前はGPT-4oです。私は新しいタイプの言語モデルです。初めまして！", 26),  # noqa: RUF001
        ("안녕하세요, 제 이름은 GPT-4o입니다. 저는 새로운 유형의 언어 모델입니다, 만나서 반갑습니다!", 27),
        ("Привет, меня зовут GPT-4o. Я — новая языковая модель, приятно познакомиться!", 23),
        ("مرحبًا، اسمي جي بي تي-4o. أنا نوع جديد من نموذج اللغة، سررت بلقائك!", 26),
        ("नमस्ते, मेरा नाम जीपीटी-4o है। मैं एक नए प्रकार का भाषा मॉडल हूँ। आपसे मिलकर अच्छा लगा!", 31),
        # https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken
        ("2 + 2 = 4", 7),
        ("お誕生日おめでとう", 8),
        # https://forg.pro/tools/code-token-analyzer
        (QUICKSORT, 89),
    ],
)
def test_estimates_are_within_a_quarter_of_known_counts(text: str, known: int) -> None:
    assert abs(estimate_tokens(text) - known) <= known / 4


def test_no_text_has_no_tokens_and_any_text_has_one() -> None:
    assert estimate_tokens("") == 0
    assert {estimate_tokens(text) for text in ("x", " ", "\x00", "\ud800", "\n")} == {1}


@pytest.mark.parametrize("text", ["hello world ", "你好世界", "a", "\n", " \t", "'", "😀", "é", '{"a": 1}'])
def test_ten_megabytes_take_no_time(text: str) -> None:
    long = text * (10_000_000 // len(text))
    started = time.perf_counter()
    estimate = estimate_tokens(long, "gpt-4o")
    assert time.perf_counter() - started < 0.5
    assert 0 < estimate <= len(long)


def test_an_estimate_from_samples_agrees_with_one_of_the_whole() -> None:
    paragraph = "The quick brown fox jumps over the lazy dog, 12 times a day.\n"
    assert estimate_tokens(paragraph * 5_000) == pytest.approx(5_000 * estimate_tokens(paragraph), rel=0.05)
