"""What a leaderboard costs: the whole program, from run directories on disk to a printed table.

Run with ``python tests/bench/bench_leaderboard.py`` (``--help`` lists its options). 397 prompts × 40 models × 2 games,
simulated, by default; style control with cluster bootstraps. Beside it, on the same outcomes and contrasts, the peer
arena-rank where it is installed: one contextual Bradley–Terry fit with its sandwich, no bootstrap. Aims are printed as
met or missed, and nothing is asserted. ``--growth FILE`` measures and plots how the cost grows with models and prompts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SUPPORT = Path(__file__).parents[1] / "support"
PEER = Path(__file__).with_name("leaderboard_peer.py")
AIMS = {100: 0.5, 1000: 3.0}  # bootstraps -> CPU seconds, for 397 x 40 x 2
COMMAND = [sys.executable, "-m", "codearena_plugin", "leaderboard", "--pairs", "none"]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Cost:
    """Of one whole process."""

    wall_s: float
    cpu_s: float
    memory_mb: float


def cost_of(command: Sequence[str]) -> Cost:
    """Run a command to its end in one thread of BLAS; its output is thrown away."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **ONE_THREAD})
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command[:4])} … ended with exit code {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 1e6)


def simulated(root: Path, n_models: int, n_prompts: int) -> list[str]:
    """Write run directories in a process of their own, so that this one stays small."""
    code = (
        f"import sys; sys.path.insert(0, {str(SUPPORT)!r}); from pathlib import Path; "
        f"from many_runs import write_runs; write_runs(Path({str(root)!r}), {n_models}, {n_prompts})"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    return sorted(str(path) for path in root.iterdir())


def main_table(n_models: int, n_prompts: int, repeats: int) -> None:
    """Print what the program costs, with and without its parts, beside its peer."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        runs = simulated(Path(folder) / "runs", n_models, n_prompts)
        print(f"simulated and written in {time.perf_counter() - began:.1f} s", file=sys.stderr)
        variants = {
            "start only (--help)": [*COMMAND[:4], "--help"],
            "100 bootstraps, no style": [*COMMAND, "--no-style", "--bootstraps", "100", *runs],
            "100 bootstraps, style": [*COMMAND, "--bootstraps", "100", *runs],
            "1000 bootstraps, style": [*COMMAND, "--bootstraps", "1000", *runs],
            "1000 bootstraps, style and position": [*COMMAND, "--position", "--bootstraps", "1000", *runs],
        }
        if (
            subprocess.run([sys.executable, "-c", "import arena_rank"], check=False, capture_output=True).returncode
            == 0
        ):
            variants["arena-rank: one contextual fit, no bootstrap"] = [sys.executable, str(PEER), *runs]
        else:
            print("arena-rank: not measured, the package is not installed")
        costs: dict[str, list[Cost]] = {name: [] for name in variants}
        for _ in range(repeats):
            for name, command in variants.items():
                costs[name].append(cost_of(command))
    width = max(map(len, costs))
    print(f"{'whole program':{width}}  CPU s  wall s  memory MB")
    for name, found in costs.items():
        cpu_s, wall_s, memory = (
            statistics.median(getattr(cost, what) for cost in found) for what in ("cpu_s", "wall_s", "memory_mb")
        )
        print(f"{name:{width}}  {cpu_s:5.2f}  {wall_s:6.2f}  {memory:9.0f}")
    if (n_models, n_prompts) == (40, 397):
        for n, aim in AIMS.items():
            cpu_s = statistics.median(cost.cpu_s for cost in costs[f"{n} bootstraps, style"])
            print(f"aim, {n} bootstraps: {cpu_s:.2f} CPU-s ≤ {aim:g} {'met' if cpu_s <= aim else 'MISSED'}")


def growth(path: Path) -> None:
    """Measure and plot how the cost grows; the numbers lie beside the plot as JSON."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib.figure import Figure

    series = {"models (397 prompts)": [(m, 397) for m in (5, 10, 20, 40, 80)]}
    series["prompts (40 models)"] = [(40, p) for p in (100, 200, 397, 800, 1600)]
    found: dict[str, list[tuple[int, float]]] = {}
    for name, sizes in series.items():
        for n_models, n_prompts in sizes:
            with tempfile.TemporaryDirectory() as folder:
                runs = simulated(Path(folder) / "runs", n_models, n_prompts)
                cost = min(
                    (cost_of([*COMMAND, "--bootstraps", "1000", *runs]) for _ in range(2)), key=lambda c: c.cpu_s
                )
            size = n_models if name.startswith("models") else n_prompts
            found.setdefault(name, []).append((size, cost.cpu_s))
            print(f"{n_models} models × {n_prompts} prompts: {cost.cpu_s:.2f} CPU-s, {cost.memory_mb:.0f} MB")
    figure = Figure(figsize=(8, 3), layout="constrained")
    for axes, (name, points) in zip(figure.subplots(1, 2), found.items(), strict=True):
        axes.plot(*zip(*points, strict=True), marker="o")
        axes.set_xlabel(name)
        axes.set_ylabel("CPU s, whole program")
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.grid(alpha=0.3)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    path.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")


def main() -> None:
    """Print the table, or measure growth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=40)
    parser.add_argument("--prompts", type=int, default=397)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--growth", type=Path, metavar="FILE", help="measure growth instead, and plot it there")
    args = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, one BLAS thread")
    if args.growth:
        growth(args.growth)
    else:
        print(f"{args.models} models × {args.prompts} prompts × 2 games; medians of {args.repeats}")
        main_table(args.models, args.prompts, args.repeats)


if __name__ == "__main__":
    main()
