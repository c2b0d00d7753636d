"""What is installed of that with which we integrate, and whether it is new enough."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from importlib import metadata
from typing import Final

from ..registry import DISTRIBUTION, INTEGRATIONS, PROVIDERS, Integration
from .finding import Finding

TOPIC: Final = "versions"
_COMMERCIAL: Final = "amplitude-ai"


def read_versions(needed: Set[str]) -> Iterator[Finding]:
    """Find out what is installed; ``needed`` are the modules that the project imports."""
    supported = []
    for known in _by_distribution().values():
        version = installed_version(known.distribution)
        is_used = known.module in needed
        if known is PROVIDERS["bedrock"] and not is_used:
            continue  # boto3 is installed for much else
        if version is None:
            if is_used:
                words = f"Your code needs {known.module}, which is not installed here."
                yield Finding(TOPIC, "warning", words, known.command)
        elif is_below(version, known.floor):
            name = f"{known.distribution} {version}"
            words = f"{name} is too old; {known.name} is supported from {known.floor} on."
            yield Finding(TOPIC, "problem" if is_used else "warning", words, known.command)
        else:
            supported.append(f"{known.distribution} {version}")
    if supported:
        yield Finding(TOPIC, "ok", f"Supported: {', '.join(sorted(supported))}.")
    yield from _beside()


def installed_version(distribution: str) -> str | None:
    """Return the version of a distribution, or ``None`` where it is not installed."""
    try:
        return metadata.version(distribution) or ""
    except (metadata.PackageNotFoundError, KeyError):  # a folder without metadata counts as none
        return None


def installed_integrations() -> dict[str, str]:
    """Return the version of everything installed of which our table knows, by the distribution's name."""
    versions = {name: installed_version(name) for name in _by_distribution()}
    return {name: version for name, version in versions.items() if version is not None}


def is_below(version: str, floor: str) -> bool:
    """Tell whether a version is older than the oldest that works; one that cannot be read is not."""
    return bool(floor) and _numbers(version) < _numbers(floor)


def _by_distribution() -> dict[str, Integration]:
    """Return the first integration of each distribution; some have several."""
    first: dict[str, Integration] = {}
    for known in INTEGRATIONS:
        first.setdefault(known.distribution, known)
    return first


def _beside() -> Iterator[Finding]:
    version = installed_version(_COMMERCIAL)
    if version is not None:
        words = f"{_COMMERCIAL} {version} is installed too, and brings commands of the same names."
        fix = f"These are always ours: {DISTRIBUTION}, python -m {DISTRIBUTION.replace('-', '_')}"
        yield Finding(TOPIC, "hint", words, fix)


def _numbers(version: str) -> tuple[float, ...]:
    release = re.match(r"\s*v?(?:\d+!)?(\d+(?:\.\d+)*)", version)
    if release is None:
        return (float("inf"),)
    numbers = [float(part) for part in release[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
