"""What running code has shown: one model's pass@1 on one benchmark, with who measured it and how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from codearena_plugin.records import Interval
from codearena_plugin.scoring.association.noise import Measured

CONFIDENCE = 0.95
BENCHMARKS: Mapping[str, str] = {
    "humaneval+": "HumanEval+",
    "mbpp+": "MBPP+",
    "humaneval": "HumanEval",
    "mbpp": "MBPP",
    "multipl_e": "MultiPL-E",
    "bigcodebench": "BigCodeBench",
    "bigcodebench_hard": "BigCodeBench hard",
    "livecodebench": "LiveCodeBench",
}
"""Benchmarks that are known by name, the preferred axis first -> their titles. Files may name others."""

LANGUAGES: Mapping[str, str] = {name: "Python" for name in BENCHMARKS if name != "multipl_e"}
"""Benchmarks that ask for one programming language -> that language."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_.+-]{0,39}")


@dataclass(frozen=True)
class Execution:
    """One model's pass@1 on one benchmark.

    Attributes:
        model: as its source names it.
        benchmark: a key of ``BENCHMARKS``, or another name of the same form.
        estimate: pass@1, a share in [0, 1].
        measured: pass@1 by problem; ``None`` where it is not known on how many problems the number rests.
        n_expected: problems of the whole benchmark; ``None`` where that is not known.
        engine: what ran the code and compared its output.
        source: the file, or the citation.
        alias: another name of the model; empty if it has none.
        notes: what a reader should know about this number.
        pass_at: k -> pass@k, for further k that all problems have samples for.
        is_reference: it is a published number that the package ships.
        notices: what every output with this number must say, as that its code ran without a sandbox.
        language: programming language of a number for a part of the benchmark; empty if it is for the whole.
        has_partial_parts: it is a mean of numbers of which some rest on a part of their problems only.
    """

    model: str
    benchmark: str
    estimate: float
    measured: Measured | None
    n_expected: int | None
    engine: str
    source: str
    alias: str = ""
    notes: tuple[str, ...] = ()
    pass_at: Mapping[int, Interval] = field(default_factory=dict)
    is_reference: bool = False
    notices: tuple[str, ...] = ()
    language: str = ""
    has_partial_parts: bool = False

    @property
    def n(self) -> int | None:
        """Problems that it rests on."""
        return len(self.measured.values) if self.measured else None

    @property
    def is_partial(self) -> bool:
        """Whether it is known to rest on a part of the benchmark's problems only."""
        is_less = self.n is not None and self.n_expected is not None and self.n < self.n_expected
        return is_less or self.has_partial_parts

    @property
    def interval(self) -> Interval | None:
        """pass@1 with its interval, clustered by problem."""
        return self.measured.interval(CONFIDENCE) if self.measured else None


def is_benchmark_name(text: str) -> bool:
    """Return whether a text can name a benchmark: short, lower-case, no space.

    >>> is_benchmark_name("humaneval+"), is_benchmark_name("HumanEval +")
    (True, False)
    """
    return _NAME.fullmatch(text) is not None


def base_and_plus(benchmark: str) -> tuple[str, str]:
    """Return the names of the same benchmark with its own and with EvalPlus' tests.

    >>> base_and_plus("mbpp"), base_and_plus("mbpp+")
    (('mbpp', 'mbpp+'), ('mbpp', 'mbpp+'))
    """
    base = benchmark.removesuffix("+")
    return base, f"{base}+"


def title_of(benchmark: str) -> str:
    """Return what tables call a benchmark."""
    return BENCHMARKS.get(benchmark, benchmark)


def counted(passed: int, n: int) -> Measured:
    """Return what is known of a model of which only the numbers are printed: how many of ``n`` problems it passed."""
    return Measured((1.0,) * passed + (0.0,) * (n - passed))


def shared_out(share: float, n: int) -> Measured:
    """Return a share of ``n`` problems as if each were passed or failed; a rest is in one problem.

    Where several samples a problem were taken this has the greatest spread that the share allows: intervals are wider
    than they need to be, never narrower.

    >>> shared_out(0.625, 4).values
    (1.0, 1.0, 0.5, 0.0)
    """
    passed = min(int(share * n + 1e-6), n)
    rest = share * n - passed
    if passed == n or rest <= 1e-6:
        return counted(passed, n)
    return Measured((1.0,) * passed + (rest,) + (0.0,) * (n - passed - 1))
