"""Agents of one customer, on platforms that serve many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .agent import BoundAgent

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .client import AmplitudeAI
    from .options import AgentOptions


class TenantHandle:
    """Makes agents that carry a customer's organization, groups and environment."""

    def __init__(
        self,
        ai: AmplitudeAI,
        customer_org_id: str | None,
        *,
        groups: Mapping[str, Any] | None = None,
        env: str | None = None,
    ) -> None:
        self.ai = ai
        self.customer_org_id = customer_org_id
        self._defaults = {"customer_org_id": customer_org_id, "groups": groups, "env": env}

    def agent(self, agent_id: str | None = None, **options: Unpack[AgentOptions]) -> BoundAgent:
        """Return an agent's handle as ``AmplitudeAI.agent`` does; what is given here wins."""
        given = {name: value for name, value in options.items() if value is not None}
        return self.ai.agent(agent_id, **{**self._defaults, **given})  # type: ignore[arg-type]
