"""What a sandbox is asked and what it answers. Everything that runs a stranger's code speaks in these records.

A *job* is files in an empty scratch directory and steps that run there one after the other (compile, then run); an
*ending* is how one step ended. A sandbox runs one job at a time; who wants several at once opens several.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, TypeAlias

How: TypeAlias = Literal["exited", "signalled", "timeout", "memory", "output", "lost"]
Profile: TypeAlias = Literal["strict", "browser"]
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one step may use, all its processes together unless said otherwise.

    Attributes:
        cpu_s: processor time, in seconds; what counts. 0 < cpu_s.
        wall_s: a generous cap for what sleeps, in seconds; a verdict must not depend on the load of the machine.
        memory_bytes: resident memory, summed over the processes.
        processes: processes and threads at once.
        output_bytes: of standard output and of standard error, each; and of each file that is returned.
        file_bytes: of one file; the scratch directory as a whole holds ``4 * file_bytes``, which a sandbox without a
            file system of its own (Landlock) can only watch: what writes more is ended some milliseconds later, and
            what is deleted, and mapped or handed along, is not seen.
    """

    cpu_s: float = 10.0
    wall_s: float = 60.0
    memory_bytes: int = 1024 * MIB
    processes: int = 64
    output_bytes: int = MIB
    file_bytes: int = 64 * MIB


@dataclass(frozen=True, slots=True)
class Step:
    """One command.

    Attributes:
        argv: the program, looked up on the sandbox's own PATH, and its arguments. ``("python", …)`` is the sandbox's
            Python: ``python FILE …`` and, for a module of ``SandboxOptions.modules``, ``python -m NAME …`` run in a
            fork of a waiting interpreter where the sandbox has one, else in a fresh one.
        env: beside the sandbox's own few variables; nothing is inherited from us.
    """

    argv: tuple[str, ...]
    stdin: bytes = b""
    limits: Limits = Limits()
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """Files and steps; a step runs only if the one before it exited with 0.

    Attributes:
        files: path relative to the scratch directory -> content. Paths are ours, never a candidate's.
        returns: files of the scratch directory to bring back, where they are there, regular and not too large.
        profile: "browser" allows what Chromium needs of the kernel beside the strict set; the network stays shut.
        language: canonical name of the language of ``main``, for services that run by language and not by command.
        main: the file of ``files`` that is the program.
    """

    steps: tuple[Step, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    returns: tuple[str, ...] = ()
    profile: Profile = "strict"
    language: str | None = None
    main: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How one step ended.

    Attributes:
        how: "exited" with ``exit_code``; "signalled" by ``signal``, by us where too many processes could not be
            refused; killed for its "timeout" (of either clock), its "memory" or its "output"; or "lost": the sandbox
            itself failed, the machine ran out of memory, or the program is not here, which is nobody's verdict. A
            program among the job's own files that cannot be started has "exited" with 126 or 127, as in a shell; a
            scratch directory with too much in it is too much "output".
        stdout, stderr: at most ``output_bytes`` each.
        cpu_s, wall_s: what it took, in seconds.
        peak_bytes: highest resident memory seen; 0 where it was too short to be seen.
        survivors: processes that were left when the step's own had ended, and were killed.
        problem: of "lost", and of "memory" where the machine had less than the limit: one line that says why.
    """

    how: How
    exit_code: int | None = None
    signal: int | None = None
    stdout: bytes = b""
    stderr: bytes = b""
    cpu_s: float = 0.0
    wall_s: float = 0.0
    peak_bytes: int = 0
    survivors: int = 0
    problem: str = ""

    @property
    def is_success(self) -> bool:
        """Whether it ended by itself, with 0."""
        return self.how == "exited" and self.exit_code == 0


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that has been run: one ending for each step that was started, and the files that came back."""

    endings: tuple[Ending, ...]
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def last(self) -> Ending:
        """The ending of the last step that was started."""
        return self.endings[-1]


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """What a user, or a caller, chooses of a sandbox.

    Attributes:
        name: of the executor; "auto" takes the first isolating one that works here.
        python: interpreter that runs Python code; ``None``: the one that runs us.
        url: of a SandboxFusion service.
        modules: name -> source of trusted, standard-library-only modules that Python code there can import, loaded
            once before the first job.
        read_only: more paths that code may read.
        allow_unsafe: the user said ``--unsafe-local``.
    """

    name: str = "auto"
    python: str | None = None
    url: str | None = None
    modules: Mapping[str, str] = field(default_factory=dict)
    read_only: tuple[str, ...] = ()
    allow_unsafe: bool = False


def search_path(options: SandboxOptions) -> str:
    """Return where programs are looked up in a sandbox: the system's places, then each further path and its ``bin``.

    >>> search_path(SandboxOptions(read_only=("/opt/go",)))
    '/usr/local/bin:/usr/bin:/bin:/opt/go:/opt/go/bin'
    """
    more = [part for path in options.read_only for part in (path, f"{path}/bin")]
    return ":".join(["/usr/local/bin", "/usr/bin", "/bin", *more])


@dataclass(frozen=True, slots=True)
class Probe:
    """Whether an executor works on this machine, tried out and not guessed, and one line that says so."""

    works: bool
    line: str


class Sandbox(Protocol):
    """An open sandbox; a context manager. Not for several threads at once."""

    name: str
    is_isolated: bool
    notice: str
    """A sentence that every output must carry; empty for a sandbox that isolates."""

    def __enter__(self) -> Sandbox: ...

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        """Close it."""
        ...

    def run(self, job: Job) -> Finished:
        """Run a job. Never raises for what the code does; a sandbox that breaks gives "lost" and mends itself."""
        ...

    def close(self) -> None:
        """End it, and everything in it."""
        ...


class Executor(Protocol):
    """What the hook ``codearena_executors`` offers: a way to have sandboxes."""

    def probe(self, options: SandboxOptions) -> Probe:
        """Try it out here, in less than a second or so."""
        ...

    def open(self, options: SandboxOptions) -> Sandbox:
        """Return a fresh sandbox.

        Raises:
            ConfigError: it does not work here; says what to do.
        """
        ...
