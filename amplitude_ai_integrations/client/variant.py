"""A client whose events say more or less than those of another, and go where those go."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ..config import AIConfig, PrivacyConfig
from ..delivery.pipeline import Pipeline
from ..delivery.sinks import ConsoleSink
from .recording import Recorder

if TYPE_CHECKING:
    from .client import AmplitudeAI


def variant_of(ai: AmplitudeAI, privacy: PrivacyConfig) -> AmplitudeAI:
    """Return a client that lets out what ``privacy`` says; for the process it is no client of its own."""
    variant = copy.copy(ai)
    variant.config = privacy.over(ai.config)
    variant.recorder = _VariantRecorder(
        variant.config, _branch(ai.recorder.pipeline, variant.config), privacy
    )
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
            branch = self._branches[pipeline] = _branch(pipeline, config)
        return branch


def _branch(pipeline: Pipeline, config: AIConfig) -> Pipeline:
    """Return a pipeline with another configuration, which ends in the same sinks."""
    is_to_print = config.debug and not (pipeline.config.debug or pipeline.config.dry_run)
    sinks = (ConsoleSink(), *pipeline.sinks) if is_to_print and pipeline.sinks else pipeline.sinks
    branch = Pipeline(config, sinks)
    branch.dropped = pipeline.dropped
    # What waits to be redacted waits in one queue, so that a flush of the client waits for all of it.
    if branch._deferred is not None:
        pipeline._deferred = pipeline._deferred or branch._deferred
        branch._deferred = pipeline._deferred
    return branch
