"""Build the wheel and use it in an environment that holds nothing else."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PROGRAM = """
import sys
from amplitude_ai_integrations import AmplitudeAI, MemorySink

sink = MemorySink()
with AmplitudeAI(sink=sink).agent("wheel").session(user_id="user-1") as session:
    session.track_user_message("Does the wheel turn?")
assert [event["event_type"] for event in sink] == ["[Agent] User Message", "[Agent] Session End"]
vendors = {"openai", "starlette", "fastapi", "pydantic", "genai_prices"} & set(sys.modules)
assert not vendors, vendors
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
        subprocess.run(build, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        (wheel,) = target.glob("*.whl")
        venv.create(target / "empty", with_pip=True)
        python = target / "empty" / "bin" / "python"
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel))
        run(python, "-W", "error", "-c", PROGRAM)
        version = run(python, "-m", "amplitude_ai_integrations", "--version")
        without = subprocess.run(
            [python, "-m", "amplitude_ai_integrations", "analytics"],
            capture_output=True,
            text=True,
            check=False,
        )
        expected = "pip install 'amplitude-ai-integrations[analytics]'"
        assert without.returncode == 2, without.stderr
        assert expected in without.stderr, without.stderr
        run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{wheel}[analytics]")
        run(python, "-W", "error", "-c", "import amplitude_ai_integrations.analytics.app as app; app.__doc__")
        print(f"{wheel.name}: {wheel.stat().st_size // 1024} kB, installs and runs ({version.strip()})")
    return 0


def run(*command: object) -> str:
    words = [str(word) for word in command]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
