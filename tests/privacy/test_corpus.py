"""Of the corpus, what is personal goes and everything else stays: precision and recall."""

from __future__ import annotations

from amplitude_ai_integrations import AIConfig
from amplitude_ai_integrations.privacy.redaction import Redactor
from tests.privacy import corpus

WORTH = 0.98


def test_the_corpus_is_large_and_varied() -> None:
    for cases in (corpus.positives(), corpus.negatives()):
        assert len(cases) >= 200
        assert len({case.kind for case in cases}) >= 10
        assert len({case.format for case in cases}) >= 10
        assert len({case.text for case in cases}) == len(cases)
    assert all(case.text != case.expected for case in corpus.positives())


def test_precision_and_recall() -> None:
    redactor = Redactor(AIConfig())
    cases = corpus.positives() + corpus.negatives()
    by_kind = corpus.scores(lambda case: redactor.text(case.text), cases)
    missed = "\n".join(f"{case} became {outcome!r}" for case, outcome in by_kind["all"].misses)
    for kind, score in by_kind.items():
        assert score.recall >= WORTH, f"{kind}\n{missed}"
        assert score.precision >= WORTH, f"{kind}\n{missed}"


def test_what_is_redacted_stays_as_it_is() -> None:
    redactor = Redactor(AIConfig())
    for case in corpus.positives():
        assert redactor.text(case.expected) == case.expected
