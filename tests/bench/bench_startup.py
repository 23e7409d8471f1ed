"""What the package costs every Python start, and every ``import codearena_plugin``.

Run with ``python tests/bench/bench_startup.py [RUNS]``. The runs of the two sides of a comparison alternate, so that a
busy machine slows both; medians of wall time are compared. The aims hold for compiled modules, as pip leaves them and
as Python itself leaves them after the first run; where bytecode may not be written, the shim is compiled every time.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

STARTUP = Path(__file__).parents[2] / "codearena_plugin" / "startup"
SHIM_AIM_MS = 1.0
IMPORT_AIM_MS = 60.0


class Cost(NamedTuple):
    """Medians in milliseconds, and half the quartile distance of the differences between neighbouring runs."""

    without: float
    with_: float
    spread: float

    def row(self, name: str, aim: float | None) -> str:
        """Return the line of the table."""
        added = self.with_ - self.without
        verdict = f"{f'< {aim:g}':>8}  {'met' if added < aim else 'MISSED'}" if aim else f"{'-':>8}"
        return f"{name:26}{self.without:9.2f}{self.with_:9.2f}{added:9.2f}{self.spread:7.2f}{verdict}"


def compare(without: Sequence[str], with_: Sequence[str], runs: int, env: Mapping[str, str]) -> Cost:
    """Time two commands in turn, ``runs`` times each, after one warm-up of both."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(runs + 1):
        for command, kept in zip((without, with_), times, strict=True):
            start = time.perf_counter()
            subprocess.run(command, check=True, env=env)
            if turn:
                kept.append((time.perf_counter() - start) * 1e3)
    low, _, high = statistics.quantiles([b - a for a, b in zip(*times, strict=True)], n=4)
    return Cost(statistics.median(times[0]), statistics.median(times[1]), (high - low) / 2)


def fresh_python(folder: Path, *, shim: bool) -> str:
    """Make an empty environment, with the files of the shim in its site directory or without."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = str(folder / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    if shim:
        script = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
        site = subprocess.run([python, "-c", script], check=True, capture_output=True, text=True).stdout.strip()
        for file in STARTUP.glob("*codearena*.*"):
            shutil.copy(file, site)
    return python


def slowest_imports(env: Mapping[str, str], count: int = 6) -> list[str]:
    """Return the modules that cost ``import codearena_plugin`` most by themselves, as ``-X importtime`` has it."""
    command = [sys.executable, "-X", "importtime", "-c", "import codearena_plugin"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True, env=env).stderr.splitlines()
    rows = [line.removeprefix("import time:").split("|") for line in lines if "|" in line and "self [us]" not in line]
    rows = rows[next(i for i, row in enumerate(rows) if row[2].strip() == "site") + 1 :]
    rows.sort(key=lambda row: -int(row[0]))
    return [f"{int(own) / 1e3:6.2f} ms  {name.strip()}" for own, _, name in rows[:count]]


def main() -> None:
    """Print the table."""
    runs = max(40, int(sys.argv[1]) if len(sys.argv) > 1 else 100)
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "PYTHONPYCACHEPREFIX": str(Path(folder, "bytecode"))}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        bare = fresh_python(Path(folder, "without"), shim=False)
        shimmed = fresh_python(Path(folder, "with"), shim=True)
        uncompiled = compare([bare, "-B", "-c", "pass"], [shimmed, "-B", "-c", "pass"], runs, os.environ)
        shim = compare([bare, "-c", "pass"], [shimmed, "-c", "pass"], runs, env)
        package = compare([sys.executable, "-c", "pass"], [sys.executable, "-c", "import codearena_plugin"], runs, env)
        slowest = slowest_imports(env)
    print(f"Python {sys.version.split()[0]}, {runs} interleaved runs each: medians of wall time, ms")
    print(f"{'':26}{'without':>9}{'with':>9}{'added':>9}{'±':>7}{'aim':>8}")
    print(shim.row("start-up shim", SHIM_AIM_MS))
    print(uncompiled.row("  without bytecode", None))
    print(package.row("import codearena_plugin", IMPORT_AIM_MS))
    print("import codearena_plugin: the costliest modules by themselves (-X importtime)")
    print("\n".join(f"  {line}" for line in slowest))


if __name__ == "__main__":
    main()
