"""``jobs``, with gevent in the place of threads before anything else is imported."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

if __name__ == "__main__":
    from tests.delivery.prefork import jobs

    jobs.main()
