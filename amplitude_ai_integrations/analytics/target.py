"""Where a relay sends events on to, and that this is not itself."""

from __future__ import annotations

import os
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from ..config import ENVIRONMENT_PREFIX, AIConfig
from ..delivery.outbox.place import OFF
from ..delivery.own import LOCAL_KEY
from ..diagnostics.secrets import masked, without_password
from ..exceptions import ConfigurationError

_PORTS = {"http": 80, "https": 443}


class Target(NamedTuple):
    """The project of events that name none, and the server of all."""

    api_key: str
    config: AIConfig

    @property
    def words(self) -> str:
        """It in words, without what must not be shown."""
        zone, url, spool = self.config.server_zone, self.config.server_url, self.config.spool
        server = without_password(url) if url else f"Amplitude ({zone})"
        memory = "; what waits is in memory only" if spool and str(spool).lower() == OFF else ""
        return f"{server}, to the project with the key {masked(self.api_key)}{memory}"


def target_of(url: str | None) -> Target:
    """Return where to forward to, with the settings of the environment.

    ``AMPLITUDE_AI_SERVER_URL`` is not one of them: other processes find the relay by it.

    Raises:
        ConfigurationError: There is no key, or nothing is to leave this machine.
    """
    config = AIConfig(server_url=url)
    key = os.environ.get(f"{ENVIRONMENT_PREFIX}API_KEY", "").strip()
    if not key or key == LOCAL_KEY:
        raise ConfigurationError("--forward needs a project: set AMPLITUDE_AI_API_KEY to its API key.")
    if not config.enabled or config.dry_run or config.review_mode:
        raise ConfigurationError(
            "--forward would send events, but the environment says that none are to be sent "
            "(AMPLITUDE_AI_ENABLED, AMPLITUDE_TRACKING_DISABLED, AMPLITUDE_AI_DRY_RUN, AMPLITUDE_AI_REVIEW)."
        )
    return Target(key, config)


def refuse_itself(target: Target, listener: socket.socket) -> None:
    """See that what listens here is not where events go.

    Raises:
        ConfigurationError: It is.
    """
    if target.config.server_url is None:
        return
    parts = urlsplit(target.config.server_url)
    own_host, own_port = listener.getsockname()[:2]
    if (parts.port or _PORTS[parts.scheme]) != own_port:
        return
    own = ip_address(own_host.partition("%")[0])
    if any(_leads_to(address, own) for address in _addresses(parts.hostname or "", own_port)):
        url = without_password(target.config.server_url)
        raise ConfigurationError(
            f"--forward {url} leads to this relay itself: give another, or none for Amplitude."
        )


def _addresses(host: str, port: int) -> set[IPv4Address | IPv6Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {ip_address(str(each[4][0]).partition("%")[0]) for each in found}


def _leads_to(address: IPv4Address | IPv6Address, own: IPv4Address | IPv6Address) -> bool:
    if own.is_unspecified:
        return _is_of_this_machine(address)
    return address == own or (address.is_unspecified and own.is_loopback)


def _is_of_this_machine(address: IPv4Address | IPv6Address) -> bool:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
