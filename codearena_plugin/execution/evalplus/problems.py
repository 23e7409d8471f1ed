"""What the room speaks in: problems, samples, verdicts on samples, and the result of a whole benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from codearena_plugin.execution.sandbox import SandboxOptions
from codearena_plugin.records import Interval

BenchmarkName: TypeAlias = Literal["humaneval", "mbpp"]
Engine: TypeAlias = Literal["builtin", "evalplus"]
PassStatus: TypeAlias = Literal["pass", "fail", "timeout", "not-run"]
BENCHMARKS: tuple[BenchmarkName, ...] = ("humaneval", "mbpp")
ENGINES: tuple[Engine, ...] = ("builtin", "evalplus")


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a benchmark.

    Attributes:
        task_id: as ``HumanEval/0``.
        prompt: HumanEval: the head of the function with its docstring; MBPP: a docstring with one assertion.
        entry_point: name of the function that is called.
        canonical: the whole reference program (``prompt`` and solution).
        base_inputs, plus_inputs: arguments of the calls, one tuple or list a test, of the types that the tests need.
        atol: absolute tolerance of floats; 0 where the released file asks for equality.
    """

    task_id: str
    prompt: str
    entry_point: str
    canonical: str
    base_inputs: tuple[Any, ...]
    plus_inputs: tuple[Any, ...]
    atol: float = 0.0


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A data set as it was read.

    Attributes:
        label: as ``HumanEval+``.
        md5: of the unpacked JSONL.
        source: the file that was read.
        version: as ``v0.1.10``; ``""`` if the md5 is that of no released file.
    """

    name: BenchmarkName
    label: str
    problems: tuple[Problem, ...]
    md5: str
    source: str
    version: str = ""

    @property
    def notice(self) -> str:
        """What every result must say of the data; empty for a released file."""
        return "" if self.version else f"not the released file: {self.source}, md5 {self.md5}"


@dataclass(frozen=True, slots=True)
class Sample:
    """What a model wrote for one problem.

    Attributes:
        text: a completion (the prompt is put before it), or a whole program.
        index: 0, 1, … of several samples of one problem.
        is_program: ``text`` is the whole program.
    """

    task_id: str
    text: str
    index: int = 0
    is_program: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on one sample.

    Attributes:
        solution: the whole program that was run.
        base, plus: verdict on either set of tests by itself; a problem is passed on the plus tests if both pass.
        base_failed, plus_failed: the inputs that failed first, at most one each: tests end there.
        why: one line on what ended it, where it did not pass.
    """

    task_id: str
    index: int
    solution: str
    base: PassStatus
    plus: PassStatus
    base_failed: tuple[Any, ...] = ()
    plus_failed: tuple[Any, ...] = ()
    why: str = ""

    @property
    def passes_plus(self) -> bool:
        """Whether it passed the base and the plus tests."""
        return self.base == "pass" and self.plus == "pass"


@dataclass(frozen=True, slots=True)
class PassOptions:
    """What a user chooses.

    Attributes:
        engine: "builtin" runs the samples in our sandbox; "evalplus" asks the real package.
        evalplus_python: interpreter that has EvalPlus; ``None``: the one that runs us.
        workers: sandboxes at once; ``None``: as many as this process may use cores.
    """

    engine: Engine = "builtin"
    evalplus_python: str | None = None
    sandbox: SandboxOptions = field(default_factory=SandboxOptions)
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class PassResult:
    """pass@k of a benchmark.

    Attributes:
        base, plus: k -> pass@k with its interval, clustered by problem; empty if no sample was run.
        n_problems: problems with a sample that was run.
        n_samples: samples that were run.
        n_not_run: samples that could not be run; they are in no number.
        n_expected: problems that the benchmark has.
        engine: name and version, as ``codearena builtin 1``.
        sandbox: name of the executor; "none" for EvalPlus itself.
        notices: sentences that every output must carry.
    """

    benchmark: BenchmarkName
    label: str
    version: str
    md5: str
    base: Mapping[int, Interval]
    plus: Mapping[int, Interval]
    n_problems: int
    n_samples: int
    n_not_run: int
    n_expected: int
    engine: str
    sandbox: str
    notices: tuple[str, ...] = ()

    @property
    def coverage(self) -> float:
        """Share of the benchmark's problems that have a sample that was run, in [0, 1]."""
        return self.n_problems / self.n_expected if self.n_expected else 0.0
