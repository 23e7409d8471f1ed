"""The checks of ``codearena doctor`` for whoever runs code: sandboxes, tool chains, the benchmarks' data."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from codearena_plugin import paths
from codearena_plugin.cli.check import PROBLEM, Check
from codearena_plugin.cli.conflicts import numbers
from codearena_plugin.cli.lm_eval import installed
from codearena_plugin.errors import CodeArenaError
from codearena_plugin.execution import choose
from codearena_plugin.execution.evalplus.data import RELEASES, Release, evalplus_cache
from codearena_plugin.execution.sandbox import Probe, SandboxOptions
from codearena_plugin.execution.toolchains import missing, toolchain, toolchains

FIXED_EVALPLUS = (0, 3, 2)
"""The first release without the fault below; 0.3.1 is the newest that can be had (November 2026)."""
_NO_SANDBOX = (
    "none works here, for the reasons below, so what needs code to be run is refused; "
    "--unsafe-local runs it without one, as you"
)


def execution_checks(options: Mapping[str, Any]) -> Iterator[Check]:
    """Yield what was found; nothing is downloaded, and of code only a canary of our own is run."""
    try:
        chosen = choose.resolve_sandbox(options)
        choose.check(chosen)
        probes = choose.probes(chosen)
    except CodeArenaError as exc:
        yield Check("sandbox", PROBLEM, str(exc))
        return
    taken = _taken(chosen, probes)
    yield _sandbox(chosen, probes, taken)
    for name, probe in probes.items():
        if probe.works:
            yield Check(f"sandbox {name}", "ok" if name != choose.UNSAFE else "note", _working(name, probe, chosen))
        else:
            yield Check(f"sandbox {name}", "note", probe.line)
    yield from _tools(chosen)
    for release in RELEASES.values():
        yield _data(release)
    yield from _evalplus()


def _taken(chosen: SandboxOptions, probes: Mapping[str, Probe]) -> str | None:
    names = choose.ORDER if chosen.name == choose.AUTO else (chosen.name,)
    return next((name for name in names if probes[name].works), None)


def _sandbox(chosen: SandboxOptions, probes: Mapping[str, Probe], taken: str | None) -> Check:
    if chosen.name == choose.AUTO:
        if taken:
            return Check("sandbox", "ok", f"auto takes {taken}")
        is_named = chosen.python is not None or chosen.url is not None  # then it is the user's to put right
        return Check("sandbox", PROBLEM if is_named else "note", _NO_SANDBOX)
    if taken is None:
        return Check("sandbox", PROBLEM, f"{chosen.name!r} was asked for and does not work: {probes[chosen.name].line}")
    return Check("sandbox", "note" if taken == choose.UNSAFE else "ok", f"{taken}, as asked for")


def _working(name: str, probe: Probe, chosen: SandboxOptions) -> str:
    """Return what a sandbox that works says of itself; whether it isolates, only an open one knows."""
    try:
        sandbox = choose.executor_named(name).open(chosen)
        with contextlib.closing(sandbox):
            return f"{'isolates' if sandbox.is_isolated else 'vouches for no isolation'}: {probe.line}"
    except CodeArenaError as exc:
        return f"{probe.line}, and then: {exc}"


def _tools(chosen: SandboxOptions) -> Iterator[Check]:
    languages = list(dict.fromkeys(row.language for row in toolchains()))
    absent = [name for name in languages if missing(name, chosen)]
    here = [name for name in languages if name not in absent]
    yield Check("tool chains", "ok", f"{len(here)} of {len(languages)} languages: {', '.join(here) or 'none'}")
    if absent:
        rows = [row for name in absent if (row := toolchain(name))]
        yield Check("no tool chain", "note", "; ".join(f"{row.language} (Debian: {row.package})" for row in rows))


def _data(release: Release) -> Check:
    """Say which file of a benchmark will be read, by its hash."""
    name = f"{release.label} data"
    said = next((key for key in ("CODEARENA_EVALPLUS_DATA", release.variable) if os.environ.get(key)), None)
    if said:
        path = Path(os.environ[said]).expanduser()
        files = [path / release.file, path / f"{release.file}.gz"] if path.is_dir() else [path]
    else:
        files = [evalplus_cache(os.environ) / release.file, paths.home_dir() / "evalplus" / release.file]
    found = next((path for path in files if path.is_file()), None)
    if found is None and said:
        return Check(name, PROBLEM, f"{said} names {os.environ[said]!r}, where there is none")
    if found is None:
        return Check(
            name, "note", f"not here yet: the first run downloads {release.url}, or name it by {release.variable}"
        )
    if found.suffix == ".gz":
        return Check(name, "ok", f"{found}, packed; its md5 is checked when it is read")
    is_released = hashlib.md5(found.read_bytes(), usedforsecurity=False).hexdigest() == release.md5
    if is_released:
        return Check(name, "ok", f"{found}: {release.version}, as released")
    what = "results will say so" if said else "it is not used"
    return Check(name, "note", f"{found} is not {release.version} as released (its md5 differs); {what}")


def _evalplus() -> Iterator[Check]:
    version = installed("evalplus")
    if version is not None and numbers(version) < FIXED_EVALPLUS:
        yield Check("evalplus's fault", "note", f"{version} always fails HumanEval/32; --engine builtin does not")
