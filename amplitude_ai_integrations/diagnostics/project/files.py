"""The Python files of a project, without what others wrote and without end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MOST_FILES: Final = 5_000
_MOST_ENTRIES: Final = 100_000  # of folders that are no project, such as a home folder
LARGEST: Final = 1_000_000  # bytes; a larger file was made by a machine
_FOREIGN: Final = {
    *(
        "__pycache__",
        "build",
        "dist",
        "env",
        "migrations",
        "node_modules",
        "site-packages",
        "venv",
        "virtualenv",
    ),
    *("test", "tests", "testing"),
}


class Files:
    """The files below a folder, nearest first; ``is_cut`` tells whether there were more."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self.is_cut = False

    def __iter__(self) -> Iterator[Path]:
        if self._project.is_file():
            yield self._project
            return
        taken = entries = 0
        for folder, folders, names in os.walk(self._project):
            if "pyvenv.cfg" in names and Path(folder) != self._project:
                folders.clear()
                continue
            folders[:] = sorted(filter(_is_own, folders))
            entries += len(folders) + len(names)
            for name in sorted(names):
                if not _is_source(name):
                    continue
                if taken == _MOST_FILES:
                    self.is_cut = True
                    return
                taken += 1
                yield Path(folder, name)
            if entries > _MOST_ENTRIES:
                self.is_cut = True
                return


def _is_own(folder: str) -> bool:
    return not folder.startswith(".") and folder not in _FOREIGN and not folder.endswith(".egg-info")


def _is_source(name: str) -> bool:
    """Whether a file is of the program itself; its tests may do without us."""
    is_test = name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py"
    return name.endswith(".py") and not name.startswith(".") and not is_test
