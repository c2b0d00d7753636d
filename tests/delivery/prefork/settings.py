"""What tests tell the application, through its environment."""

from __future__ import annotations

KEY, SERVER, LEDGER, BEFORE = "TEST_KEY", "TEST_SERVER", "TEST_LEDGER", "TEST_BEFORE"
PENDING, FLUSHED = "pending", "flushed"
EARLY = 5  # events tracked before anything is forked
DONE = "TEST_DONE"  # names a file that is made when all is said, and waited upon until it is gone
