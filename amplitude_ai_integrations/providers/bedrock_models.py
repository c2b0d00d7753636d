"""What a ``modelId`` says: https://docs.aws.amazon.com/bedrock/latest/userguide/model-ids.html."""

from __future__ import annotations

import re
from typing import Any, Final

PROVIDER: Final = "aws"

_ARN: Final = re.compile(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:(?P<kind>[^/]+)/(?P<name>.+)", re.DOTALL)
_NAMED_AFTER_THEIR_MODEL: Final = ("foundation-model", "inference-profile")


def model_of(model_id: Any) -> str:
    """Return a model's name, without what an ARN says of region and account.

    An ARN of the account's own (an application's inference profile, a provisioned or imported model, a
    prompt) does not name a model; its kind and id stand for it.
    """
    text = model_id if isinstance(model_id, str) else ""
    arn = _ARN.fullmatch(text)
    if arn is None:
        return text
    return arn["name"] if arn["kind"] in _NAMED_AFTER_THEIR_MODEL else f"{arn['kind']}/{arn['name']}"


def is_named(model: str) -> bool:
    """Tell whether what ``model_of`` returned is the name of a model."""
    return bool(model) and "/" not in model
