"""pass@k of HumanEval+ and MBPP+: our engine in its sandbox beside ``evalplus.evaluate``, on the same samples.

Run with ``python tests/bench/bench_evalplus.py`` (``--help`` lists its options). It needs the released data (in
``../shared/data/evalplus`` or ``CODEARENA_EVALPLUS``) and, for the other side, an interpreter that has EvalPlus
(``.venv-evalplus/bin/python`` or ``CODEARENA_EVALPLUS_PYTHON``); without one only ours is measured. Every measurement
is a new process with its start, its imports and all its children. What each side keeps on disk of the reference
solutions is made before, by a first run that does not count. Processor time and memory (resident, without the page
cache) are those of a control group, where one can be made, so that no child and no sandbox is missed; else they are
not known. No time is asserted: aims are printed as met or missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from codearena_plugin.execution.evalplus.run import Benchmark, load_benchmark

ROOT = Path(__file__).parents[2]
DATA = os.environ.get("CODEARENA_EVALPLUS", str(ROOT.parent / "shared" / "data" / "evalplus"))
PYTHON = os.environ.get("CODEARENA_EVALPLUS_PYTHON", str(ROOT / ".venv-evalplus" / "bin" / "python"))
GROUPS = Path("/sys/fs/cgroup")
VARIABLES = {"humaneval": "HUMANEVAL_OVERRIDE_PATH", "mbpp": "MBPP_OVERRIDE_PATH"}
AIMS = {"canonical": 3.0, "failing": 10.0}
MEMORY_AIM = 1 / 3
CONSTANTS = ("None", "0", "1", "-1", "''", "[]", "True", "False", "{}", "(0,)")


@dataclass(frozen=True)
class Cost:
    """What one run took; seconds, and MB of resident memory of all its processes together at its peak."""

    wall_s: float
    cpu_s: float | None
    peak_mb: float | None
    score: str


@contextmanager
def control_group() -> Iterator[tuple[Path, Path] | None]:
    """Make a group for processor time and one for memory; ``None`` where that is not allowed."""
    name = f"codearena-bench-{os.getpid()}"
    version_2 = (GROUPS / "cgroup.controllers").exists()
    folders = (GROUPS / name, GROUPS / name) if version_2 else (GROUPS / "cpuacct" / name, GROUPS / "memory" / name)
    try:
        for folder in folders:
            folder.mkdir(exist_ok=True)
        yield folders
    except OSError:
        yield None
    finally:
        for folder in folders:
            with suppress(OSError):
                folder.rmdir()


def _cpu_s(folder: Path) -> float | None:
    with suppress(OSError):
        return int((folder / "cpuacct.usage").read_text()) / 1e9
    with suppress(OSError):
        found = re.search(r"usage_usec (\d+)", (folder / "cpu.stat").read_text())
        return int(found.group(1)) / 1e6 if found else None
    return None


def _resident_mb(folder: Path) -> float | None:
    with suppress(OSError):
        found = re.search(r"^(?:total_rss|anon) (\d+)", (folder / "memory.stat").read_text(), re.MULTILINE)
        return int(found.group(1)) / 1e6 if found else None
    return None


def measure(command: Sequence[str], folder: Path, env: dict[str, str], pattern: str) -> Cost:
    """Run a command in a group of its own; ``pattern`` finds the score in what it printed."""
    with control_group() as groups:

        def join() -> None:
            for group in groups or ():
                (group / "cgroup.procs").write_text(str(os.getpid()))

        peak, ended = [0.0], threading.Event()

        def watch() -> None:
            while groups and not ended.wait(0.02):
                peak[0] = max(peak[0], _resident_mb(groups[1]) or 0.0)

        watcher = threading.Thread(target=watch)
        watcher.start()
        began = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=join,
            check=False,
        )
        wall_s = time.perf_counter() - began
        ended.set()
        watcher.join()
        cpu_s = _cpu_s(groups[0]) if groups else None
    if done.returncode:
        sys.exit(f"{command[:4]} ended with exit code {done.returncode}:\n{done.stdout[-2000:]}")
    return Cost(wall_s, cpu_s, peak[0] or None, " / ".join(re.findall(pattern, done.stdout)))


def write_samples(benchmark: Benchmark, kind: str, n: int, path: Path) -> int:
    """Write canonical solutions, or ``n`` functions a problem that return a constant; return how many."""
    rows = []
    for problem in benchmark.problems:
        name = problem.entry_point
        texts = [f"def {name}(*_):\n    return {CONSTANTS[i % len(CONSTANTS)]}\n" for i in range(n)]
        rows += [
            {"task_id": problem.task_id, "solution": text}
            for text in ([problem.canonical] if kind == "canonical" else texts)
        ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return len(rows)


def ours(name: str, samples: Path, workers: int) -> Cost:
    """Measure ``codearena passk``."""
    command = [sys.executable, "-m", "codearena_plugin", "passk", str(samples), "--benchmark", name, "--data", DATA]
    command += ["--workers", str(workers), "--output", str(samples.with_suffix(f".{time.time_ns()}"))]
    return measure(command, samples.parent, {}, r"pass@1, .*? tests +([\d.]+)")


def theirs(name: str, samples: Path, workers: int, cache: Path) -> Cost:
    """Measure ``evalplus.evaluate``."""
    command = [PYTHON, "-m", "evalplus.evaluate", "--dataset", name, "--samples", str(samples)]
    command += ["--parallel", str(workers)]
    samples.with_name(f"{samples.stem}_eval_results.json").unlink(missing_ok=True)  # it would be taken for the answer
    env = {"XDG_CACHE_HOME": str(cache), VARIABLES[name]: str(cache / f"{name}.jsonl")}
    return measure(command, samples.parent, env, r"pass@1:\t([\d.]+)")


def unpack(name: str, cache: Path) -> None:
    """Write the data as EvalPlus wants them."""
    import gzip

    text = Path(load_benchmark(name, data=DATA).source).read_bytes()  # type: ignore[arg-type]
    (cache / f"{name}.jsonl").write_bytes(gzip.decompress(text))


def show(label: str, cost: Cost) -> None:
    cpu = "unknown" if cost.cpu_s is None else f"{cost.cpu_s:7.1f} s"
    peak = "unknown" if cost.peak_mb is None else f"{cost.peak_mb:6.0f} MB"
    print(f"  {label:26} wall {cost.wall_s:7.1f} s   cpu {cpu}   peak {peak}   pass@1 {cost.score}", flush=True)


def compare(kind: str, one: Cost, other: Cost) -> None:
    ratio = other.wall_s / one.wall_s
    print(f"  {ratio:.1f} x faster; aim {AIMS[kind]:.0f} x: {'met' if ratio >= AIMS[kind] else 'MISSED'}")
    if one.peak_mb and other.peak_mb:
        share = one.peak_mb / other.peak_mb
        print(f"  {share:.2f} of its memory; aim 0.33: {'met' if share <= MEMORY_AIM else 'MISSED'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmark", choices=VARIABLES, action="append")
    parser.add_argument("--kind", choices=AIMS, action="append")
    parser.add_argument("--failing", type=int, default=0, help="constant functions a problem (10, MBPP+: 1)")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--cache", type=Path, help="keep EvalPlus' own reference values here between runs")
    options = parser.parse_args()
    if not Path(DATA).is_dir():
        print(f"no released data in {DATA}; nothing measured")
        return
    has_other = Path(PYTHON).is_file()
    load, version = os.getloadavg()[0], platform.python_version()
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, Python {version}")
    print(f"workers {options.workers}; EvalPlus: {PYTHON if has_other else 'absent, not measured'}")
    with tempfile.TemporaryDirectory(prefix="codearena-bench-") as work:
        folder, cache = Path(work), options.cache or Path(work) / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        for name in options.benchmark or VARIABLES:
            benchmark = load_benchmark(name, data=DATA)  # type: ignore[arg-type]
            unpack(name, cache)
            samples = folder / f"{name}.jsonl"
            write_samples(benchmark, "canonical", 1, samples)
            ours(name, samples, options.workers)  # the reference values of both sides
            if has_other and not (cache / "evalplus" / f"{benchmark.md5}.pkl").is_file():
                theirs(name, samples, options.workers, cache)
            for kind in options.kind or AIMS:
                per_problem = options.failing or (10 if name == "humaneval" else 1)
                n = write_samples(benchmark, kind, per_problem, samples)
                print(f"{benchmark.label} {benchmark.version}, {n} {kind} samples")
                one = ours(name, samples, options.workers)
                show("codearena, sandbox on", one)
                if has_other:
                    other = theirs(name, samples, options.workers, cache)
                    show("evalplus.evaluate", other)
                    compare(kind, one, other)


if __name__ == "__main__":
    main()
