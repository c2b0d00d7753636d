"""A program whose children make the calls."""

from __future__ import annotations

import multiprocessing

if __name__ == "__main__":
    from ask import ask

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.apply(ask, ("Hi",)))
        pool.close()
        pool.join()
