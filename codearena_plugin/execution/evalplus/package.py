"""The other engine: EvalPlus itself, in an interpreter that has it, as a process of its own.

It runs samples as the user, without isolation, and its released version has faults that change verdicts; both are said
in every result.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from codearena_plugin.errors import ConfigError, IncompleteRunError
from codearena_plugin.execution.evalplus.problems import Benchmark, Checked, PassOptions, Sample

NOTICE = "UNSAFE: EvalPlus itself ran the code, without a sandbox; do not trust what it may have done or said"
INSTALL = "python -m venv .venv-evalplus && .venv-evalplus/bin/pip install 'evalplus>=0.3.1'"
_VARIABLES = {"humaneval": "HUMANEVAL_OVERRIDE_PATH", "mbpp": "MBPP_OVERRIDE_PATH"}
_FAULTY = "0.3.1"
_START_S, _SAMPLE_S = 1800.0, 30.0
"""How long it may take: it hangs for ever when a sample kills its pool."""
_WHY = {"fail": "EvalPlus says fail", "timeout": "EvalPlus says timeout"}


@lru_cache(maxsize=8)
def version_of(python: str | None) -> str:
    """Return the version of EvalPlus that an interpreter has.

    Raises:
        ConfigError: it has none, or is no interpreter.
    """
    command = [python or sys.executable, "-c", "from importlib.metadata import version; print(version('evalplus'))"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as exc:
        msg = f"codearena_evalplus_python is {python!r}, which cannot be run ({exc}). Expected a Python with EvalPlus."
        raise ConfigError(msg) from None
    if done.returncode:
        msg = (
            f"{command[0]!r} has no EvalPlus. Make an environment for it ({INSTALL}) and name its bin/python with "
            "codearena_evalplus_python."
        )
        raise ConfigError(msg)
    return done.stdout.strip()


def faults_of(version: str, benchmark: Benchmark) -> Iterator[str]:
    """Yield what is known to be wrong in the verdicts of a version."""
    if benchmark.name == "humaneval" and version == _FAULTY:
        yield f"EvalPlus {version} fails every answer to HumanEval/32"
    if benchmark.name == "mbpp" and version == _FAULTY:
        yield f"EvalPlus {version} may fail right answers to Mbpp/255 for the memory that it itself needs"
    yield "EvalPlus' time limits are wall-clock: its verdicts may depend on the load of the machine"


def check_package(
    benchmark: Benchmark, samples: Sequence[tuple[Sample, str]], options: PassOptions
) -> tuple[Checked, ...]:
    """Return EvalPlus' verdicts on samples and their programs, in their order.

    Raises:
        ConfigError: the user did not agree to code without a sandbox, or there is no EvalPlus.
        IncompleteRunError: it ended without results.
    """
    if not options.sandbox.allow_unsafe:
        msg = "The engine 'evalplus' runs code without a sandbox, as you. Say --unsafe-local, or use 'builtin'."
        raise ConfigError(msg)
    version_of(options.evalplus_python)
    with tempfile.TemporaryDirectory(prefix="codearena-evalplus-") as name:
        folder = Path(name)
        wanted = {sample.task_id for sample, _ in samples}
        is_cut = _write_data(Path(benchmark.source), wanted, folder / "data.jsonl")
        rows = [json.dumps({"task_id": sample.task_id, "solution": text}) for sample, text in samples]
        (folder / "samples.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
        cache = {"XDG_CACHE_HOME": name} if is_cut else {}  # or it would keep reference values that nobody uses again
        _evaluate(benchmark, folder, options, cache, _START_S + _SAMPLE_S * len(samples))
        found = _results(folder)
    return tuple(_in_order(samples, found))


def _write_data(source: Path, wanted: set[str], path: Path) -> bool:
    """Write the data set, cut to the problems that have samples, and return whether it was cut.

    EvalPlus refuses samples that leave out problems.
    """
    content = source.read_bytes()
    text = gzip.decompress(content) if source.suffix == ".gz" else content
    lines = [line for line in text.splitlines() if line.strip()]
    kept = [line for line in lines if json.loads(line)["task_id"] in wanted]
    is_cut = len(kept) < len(lines)
    path.write_bytes(b"".join(line + b"\n" for line in kept) if is_cut else text)
    return is_cut


def _evaluate(
    benchmark: Benchmark, folder: Path, options: PassOptions, more: Mapping[str, str], timeout_s: float
) -> None:
    """Run ``evalplus.evaluate`` on ``folder``; it and its children end with us."""
    command = [options.evalplus_python or sys.executable, "-m", "evalplus.evaluate", "--dataset", benchmark.name]
    command += ["--samples", str(folder / "samples.jsonl"), "--parallel", str(options.workers or os.cpu_count() or 1)]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  what the user asked for
            command,
            cwd=folder,
            env={**os.environ, **more, _VARIABLES[benchmark.name]: str(folder / "data.jsonl")},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if code != 0:
        how = f"did not end in {timeout_s:.0f} s and was stopped" if code is None else f"ended with exit code {code}"
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = "".join(c for c in said[-1][-200:] if c.isprintable()) if said else "nothing"
        msg = f"evalplus.evaluate {how}; its last line: {last}"
        raise IncompleteRunError(msg)


def _results(folder: Path) -> dict[str, list[dict[str, Any]]]:
    for name in ("samples_eval_results.json", "samples.eval_results.json"):
        if (folder / name).is_file():
            found: dict[str, list[dict[str, Any]]] = json.loads((folder / name).read_text(encoding="utf-8"))["eval"]
            return found
    msg = "evalplus.evaluate ended without a file of results."
    raise IncompleteRunError(msg)


def _in_order(samples: Sequence[tuple[Sample, str]], found: dict[str, list[dict[str, Any]]]) -> Iterator[Checked]:
    at: dict[str, int] = defaultdict(int)
    for sample, text in samples:
        row = found[sample.task_id][at[sample.task_id]]
        at[sample.task_id] += 1
        base, plus = row["base_status"], row["plus_status"]
        yield Checked(
            task_id=sample.task_id,
            index=sample.index,
            solution=text,
            base=base,
            plus=plus,
            base_failed=tuple(row["base_fail_tests"]),
            plus_failed=tuple(row["plus_fail_tests"]),
            why=_WHY.get(base) or _WHY.get(plus, ""),
        )
