"""How lm-eval sees a benchmark: metric names, one document's values, one number of a run."""

from __future__ import annotations

from collections.abc import Sequence

from codearena_plugin.execution.evalplus.problems import Checked
from codearena_plugin.harness.passing.run import PassRun, n_passed
from codearena_plugin.scoring.pass_at_k import pass_at_k

VERDICT = "execution"  # per document: what each of its samples came to; in the table: the share that was run
_KS = (1, 10, 100)


def metric_names(repeats: int) -> tuple[str, ...]:
    """Return the names of all metrics, the verdict first; plain ``pass@k`` is of base and plus tests.

    >>> metric_names(1)
    ('execution', 'pass@1', 'pass@1_base', 'pass@1_stderr', 'pass@1_base_stderr', 'coverage', 'n_problems')
    """
    shares = [f"pass@{k}{tests}" for k in _KS if k <= repeats for tests in ("", "_base")]
    return (VERDICT, *shares, *(f"{name}_stderr" for name in shares), "coverage", "n_problems")


def value_of(name: str, checked: Sequence[Checked]) -> float | int | None:
    """Return one document's value of a metric; ``None`` where it has none."""
    ran = [one for one in checked if "not-run" not in {one.base, one.plus}]
    if name == "coverage":
        return len(ran) / len(checked) if checked else 0.0
    if name == "n_problems":
        return int(bool(ran))
    if name.endswith("_stderr"):
        return None
    is_base, k = _parts(name)
    return pass_at_k(len(ran), n_passed(ran, is_plus=not is_base), k) if len(ran) >= k else None


def read_metric(run: PassRun, name: str) -> float:
    """Return one number of a run, or its standard error; NaN where it is withheld."""
    if name == "coverage":
        return run.coverage
    if name == "n_problems":
        return run.result.n_problems
    is_base, k = _parts(name)
    found = (run.result.base if is_base else run.result.plus).get(k)
    if found is None or run.withheld:
        return float("nan")
    value = found.stderr if name.endswith("_stderr") else found.estimate
    return float("nan") if value is None else float(value)


def _parts(name: str) -> tuple[bool, int]:
    """Return whether a metric is of the base tests alone, and its k.

    >>> _parts("pass@10_base_stderr"), _parts("pass@1")
    ((True, 10), (False, 1))
    """
    share = name.removesuffix("_stderr")
    return share.endswith("_base"), int(share.removesuffix("_base").removeprefix("pass@"))
