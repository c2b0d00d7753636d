"""What speaks Amplitude's ingestion APIs: requests in, checked events out."""

from __future__ import annotations
