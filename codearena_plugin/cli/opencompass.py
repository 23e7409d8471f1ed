"""``codearena opencompass``: OpenCompass' command line with our configs in it, and exit codes that mean something."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from codearena_plugin.atomic import write_atomically
from codearena_plugin.cli.lm_eval import AsGiven
from codearena_plugin.errors import ConfigError, IncompleteRunError, MissingExtraError, UsageError

STUBS = {  # file below ./configs -> module of ours and the name that it takes from there
    "datasets/codearena.py": ("datasets.codearena", "codearena_datasets"),
    "datasets/codearena_mini.py": ("datasets.codearena_mini", "codearena_mini_datasets"),
    **{
        f"datasets/{name}.py": (f"datasets.{name}", f"{name}_datasets")
        for name in (f"codearena_{tests}{base}" for tests in ("humaneval_plus", "mbpp_plus") for base in ("", "_base"))
    },
    "summarizers/codearena.py": ("summarizers.codearena", "summarizer"),
}


def opencompass(ctx: typer.Context) -> None:
    """Run OpenCompass with our configs: all that follows is its own. Exit codes 2 and 3 as everywhere.

    `codearena opencompass init` writes stubs into ./configs instead, for a bare `opencompass` without the shim.
    """
    if ctx.args[:1] == ["init"]:
        init(ctx.args[1:])
        return
    if importlib.util.find_spec("opencompass") is None:
        feature = "codearena opencompass"
        raise MissingExtraError(feature, "opencompass")
    import opencompass.cli.main as peer
    import opencompass.runners.base
    import opencompass.utils.run

    from codearena_plugin.harness.opencompass import exits, hook
    from codearena_plugin.harness.opencompass.suites import parts

    hook.patch_match(opencompass.utils.run)
    ended = exits.watch(peer, opencompass.runners.base.BaseRunner)
    sys.argv = ["opencompass", *ctx.args]
    peer.main()
    if ended.failed:
        _stop(ended.code, ended.lines)
    lines = parts.unjoined(Path(str(ended.config["work_dir"]))) if ended.config is not None else []
    if lines:
        _stop(IncompleteRunError.exit_code, lines)


def _stop(code: int, lines: Sequence[str]) -> None:
    for line in lines[:-1]:
        typer.echo(f"codearena: {line}", err=True)
    if code == UsageError.exit_code:
        raise UsageError(lines[-1])
    if code == IncompleteRunError.exit_code:
        raise IncompleteRunError(lines[-1])
    typer.echo(f"codearena: {lines[-1]}", err=True)
    raise typer.Exit(code)


def init(arguments: Sequence[str]) -> None:
    """Write the stubs into ``./configs``.

    Raises:
        ConfigError: an argument, or a file that is there already and says something else.
    """
    if arguments:
        msg = f"codearena opencompass init takes no argument, got {arguments[0]!r}; it writes into ./configs."
        raise ConfigError(msg)
    from codearena_plugin.harness.opencompass.hook import CONFIG_MODULE

    texts = {Path("configs", file): _stub(f"{CONFIG_MODULE}.{module}", name) for file, (module, name) in STUBS.items()}
    foreign = [path for path, text in texts.items() if path.exists() and path.read_text(encoding="utf-8") != text]
    if foreign:
        msg = f"{str(foreign[0])!r} is there already and is not our stub; nothing was written. Move it away."
        raise ConfigError(msg)
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text)
        except OSError as exc:
            msg = f"{str(path)!r} cannot be written: {exc.strerror or exc}."
            raise ConfigError(msg) from exc
        typer.echo(path)


def _stub(module: str, name: str) -> str:
    return f"from mmengine.config import read_base\n\nwith read_base():\n    from {module} import {name}\n"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("opencompass", cls=AsGiven, add_help_option=False)(opencompass)
