"""The checks of ``codearena doctor``. Each says what it found; peers are looked up, never imported."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import yaml

import codearena_plugin
from codearena_plugin import paths, plugins
from codearena_plugin.cli.check import PROBLEM, Check
from codearena_plugin.cli.conflicts import conflicts
from codearena_plugin.cli.execution_checks import execution_checks
from codearena_plugin.cli.lm_eval import OLDEST, installed, is_too_old
from codearena_plugin.errors import CodeArenaError
from codearena_plugin.harness.lm_eval import hook
from codearena_plugin.harness.opencompass.environment import lent_key, twins_used, with_twins
from codearena_plugin.judging.asking.loop import run_async
from codearena_plugin.judging.asking.store import ReplyStore
from codearena_plugin.judging.backends.openai import DEFAULT_URL, KEY_VARIABLES
from codearena_plugin.judging.play import open_backend, preflight
from codearena_plugin.judging.protocol.card import load_card
from codearena_plugin.judging.settings import JudgeSettings, resolve_settings
from codearena_plugin.judging.urls import without_credentials
from codearena_plugin.prompts.card import load_task_card

_CONFIG_DIR = 'use codearena opencompass …, or opencompass --config-dir "$(codearena path opencompass)"'
_PEERS = ("opencompass", "evalplus", "vllm", "openai", "datasets")


def all_checks(options: Mapping[str, Any], *, ping: bool) -> list[Check]:
    """Return what every check found; none of them raises for what it looks at."""
    return [
        *_versions(),
        *_discovery(),
        *_definitions(),
        *_plugins(),
        *execution_checks(options),
        *_judge(options, ping=ping),
    ]


def _versions() -> Iterator[Check]:
    yield Check("python", "ok", platform.python_version())
    yield Check("codearena-plugin", "ok", codearena_plugin.__version__)
    lm_eval = installed("lm-eval")
    oldest = ".".join(map(str, OLDEST))
    if lm_eval is None:
        yield Check("lm-eval", "note", "not installed; pip install 'codearena-plugin[lm-eval]'")
    elif is_too_old(lm_eval):
        yield Check("lm-eval", PROBLEM, f"{lm_eval} is too old; pip install 'lm-eval>={oldest}'")
    else:
        yield Check("lm-eval", "ok", lm_eval)
    for name in _PEERS:
        version = installed(name)
        yield Check(name, "ok" if version else "note", version or "not installed")
    for name, said in conflicts():
        yield Check(f"opencompass and {name}", PROBLEM, said)


def _discovery() -> Iterator[Check]:
    status = hook.status()
    found = status.active or status.native
    needed = installed("lm-eval") is not None and not status.turned_off
    yield Check("start-up shim", "ok" if found else PROBLEM if needed else "note", status.line)
    if installed("opencompass") is not None:
        how = "a bare opencompass --datasets codearena finds it" if status.active else _CONFIG_DIR
        yield Check("opencompass configs", "ok" if status.active else "note", how)
    for name in sorted(path.parent.parent.name for path in _task_files()):
        if Path(name).is_dir():
            what = f"the directory ./{name} bears the task's name: "
            if found:
                yield Check(f"./{name}", "note", what + "lm-eval warns of it and takes the task")
            else:
                yield Check(f"./{name}", PROBLEM, what + "lm-eval takes it for the task; rename it or run elsewhere")


def _definitions() -> Iterator[Check]:
    problems = []
    files = _task_files()
    for path in files:
        try:
            yaml.load(path.read_text(encoding="utf-8"), _TaskLoader)  # noqa: S506  a SafeLoader with one more tag
        except (OSError, yaml.YAMLError) as exc:
            problems.append(f"{path}: {exc}")
    cards = [path.parent.name for path in paths.data_dir("tasks").glob("*/task.yaml")]
    judges = list(plugins.offers("judges"))
    for load, name in [*((load_task_card, name) for name in cards), *((load_card, name) for name in judges)]:
        try:
            load(name)
        except CodeArenaError as exc:
            problems.append(str(exc))
    if not files:
        problems.append(f"no task in {paths.data_dir('tasks')}: the installation is not whole")
    counted = f"{len(files)} lm-eval tasks, {len(cards)} task cards, {len(judges)} judge cards can be read"
    yield Check("definitions", PROBLEM if problems else "ok", "; ".join(problems) or counted)


def _task_files() -> list[Path]:
    return sorted(paths.data_dir("tasks").glob("*/lm_eval/*.yaml"))


class _TaskLoader(yaml.SafeLoader):
    """Reads lm-eval's task YAML without running what its ``!function`` names."""


_TaskLoader.add_multi_constructor("!function", lambda _loader, _suffix, node: node.value)


def _plugins() -> Iterator[Check]:
    for plugin in plugins.plugins():
        found = f"{plugin.version}: {plugin.problem or 'loaded'}"
        yield Check(f"plugin {plugin.name}", PROBLEM if plugin.problem else "ok", found)


def _judge(options: Mapping[str, Any], *, ping: bool) -> Iterator[Check]:
    for name in KEY_VARIABLES:
        yield Check(name, "ok" if os.environ.get(name) else "note", "set" if os.environ.get(name) else "not set")
    twins = twins_used(os.environ, options) if installed("opencompass") is not None else {}
    if twins:
        names = ", ".join(twins.values())
        yield Check("OpenCompass' judge", "ok", f"{names} stand in for {', '.join(twins)} (under OpenCompass)")
    environ = with_twins(os.environ, options) if twins else os.environ
    try:
        settings = resolve_settings(options, environ=environ)
    except CodeArenaError as exc:
        yield Check("judge", PROBLEM, str(exc))
        return
    yield _store(settings.store)
    with lent_key(options) if twins else nullcontext():
        yield _opened(settings)
        if ping:
            yield _ping(settings)


def _opened(settings: JudgeSettings) -> Check:
    try:
        run_async(open_backend(settings).aclose())
    except CodeArenaError as exc:
        return Check("judge", "note", f"{_described(settings)}: {exc}")
    return Check("judge", "ok", _described(settings))


def _described(settings: JudgeSettings) -> str:
    where = without_credentials(settings.base_url or DEFAULT_URL) if settings.backend == "openai" else "no network"
    notice = f"; {settings.card.notice}" if settings.card.notice else ""
    return f"{settings.model} with card {settings.card.id}, back end {settings.backend}, {where}{notice}"


def _store(path: Path) -> Check:
    if not path.exists():
        return Check("reply store", "note", f"{path}: none yet, the first run makes it")
    try:
        with ReplyStore(path):
            pass
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            replies, failures = connection.execute(
                "SELECT count(*), coalesce(sum(error_kind IS NOT NULL), 0) FROM replies"
            ).fetchone()
        finally:
            connection.close()
    except (CodeArenaError, sqlite3.Error) as exc:
        return Check("reply store", PROBLEM, str(exc))
    size = path.stat().st_size / 1e6
    return Check("reply store", "ok", f"{path}: {replies} rows, {failures} of them failures, {size:.1f} MB")


def _ping(settings: JudgeSettings) -> Check:
    try:
        reply = preflight(settings)
    except CodeArenaError as exc:
        return Check("judge ping", PROBLEM, str(exc))
    if reply is None:
        return Check("judge ping", "ok", "this back end needs no network")
    return Check("judge ping", "ok", f"{reply.served_model or settings.model} answered in {reply.latency_s:.2f} s")
