"""How finished events become spans of OpenTelemetry's."""

from __future__ import annotations
