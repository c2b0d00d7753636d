"""How a field of an event describes itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Content(Enum):
    """What kind of words a field may hold; ``privacy.modes`` says which kind leaves in which mode."""

    TEXT = "text"  # what a person, a model or a tool said
    CONTEXT = "context"  # the customer's own dimensions
    JUDGEMENT = "judgement"  # the customer's own labels and enrichments


@dataclass(frozen=True)
class About:
    """Everything the catalog, the privacy gate and the typed keywords need to know of a field.

    ``argument`` is the name callers use where it differs from the field's, ``accepts`` the type they
    may pass where it differs from the wire's; a field that is ``derived`` is no argument at all.
    """

    description: str
    content: Content | None = None
    is_json: bool = False
    argument: str | None = None
    accepts: str | None = None
    derived: bool = False


def about(
    description: str,
    *,
    content: Content | None = None,
    json: bool = False,
    argument: str | None = None,
    accepts: str | None = None,
    derived: bool = False,
) -> About:
    """Describe a field of an event, inside ``Annotated``."""
    return About(description, content, json, argument, accepts, derived)
