"""A client whose events say more or less than those of another, and go where those go."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ..config import AIConfig, PrivacyConfig
from ..delivery.pipeline import Pipeline
from .recording import Recorder

if TYPE_CHECKING:
    from .client import AmplitudeAI


def variant_of(ai: AmplitudeAI, privacy: PrivacyConfig) -> AmplitudeAI:
    """Return a client that lets out what ``privacy`` says; for the process it is no client of its own."""
    variant = copy.copy(ai)
    variant.config = privacy.over(ai.config)
    pipeline = ai.recorder.pipeline.branch(variant.config)
    variant.recorder = _VariantRecorder(variant.config, pipeline, privacy)
    return variant


class _VariantRecorder(Recorder):
    """Keeps back, also inside sessions of other clients, what is to be kept back here."""

    def __init__(self, config: AIConfig, pipeline: Pipeline, privacy: PrivacyConfig) -> None:
        super().__init__(config, pipeline)
        self._privacy = privacy
        self._branches: WeakKeyDictionary[Pipeline, Pipeline] = WeakKeyDictionary()

    def within(self, pipeline: Pipeline | None) -> Pipeline:
        """Return the pipeline for an event inside a session that has this one."""
        if pipeline is None or pipeline is self.pipeline:
            return self.pipeline
        branch = self._branches.get(pipeline)
        if branch is None:
            config = self._privacy.within(pipeline.config)
            branch = self._branches[pipeline] = pipeline.branch(config)
        return branch
