"""The top-level fields Amplitude knows, and what each may hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

_BIGGEST = 2**63

Check = Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_BIGGEST <= value < _BIGGEST


def _is_time(value: Any) -> bool:
    return _is_integer(value) and 0 <= value < 2**53


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


_TEXTS = """
    user_id device_id event_type app_version platform os_name os_version device_brand
    device_manufacturer device_model carrier country region city dma language productId revenueType
    currency ip idfa idfv adid android_id insert_id library partner_id version_name user_agent
"""

CHECKS: Final[dict[str, Check]] = {
    **dict.fromkeys(_TEXTS.split(), _is_text),
    **dict.fromkeys(("price", "revenue", "location_lat", "location_lng"), _is_number),
    **dict.fromkeys(("event_id", "session_id", "quantity"), _is_integer),
    **dict.fromkeys(
        (
            "event_properties",
            "user_properties",
            "groups",
            "group_properties",
            "plan",
            "ingestion_metadata",
        ),
        _is_object,
    ),
    "time": _is_time,
    "$skip_user_properties_sync": _is_flag,
}
