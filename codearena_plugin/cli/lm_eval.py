"""``codearena lm-eval``: lm-eval's own command line with our tasks in it, also where the start-up shim is off."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from typing import Any

import typer
from typer.core import TyperCommand

from codearena_plugin.errors import ConfigError, IncompleteRunError, MissingExtraError

OLDEST = (0, 4, 12)


class AsGiven(TyperCommand):
    """A command whose arguments nobody here reads, not even ``--help``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Leave all arguments to the peer."""
        ctx.args = list(args)
        return []


def lm_eval(ctx: typer.Context) -> None:
    """Run lm-eval with our tasks: all that follows is its own. Exit code 3: no score."""
    check_installed()
    from codearena_plugin.harness.lm_eval import exits, hook

    if not hook.is_active():
        _add_ourselves()
    from lm_eval.__main__ import cli_evaluate

    sys.argv = ["lm_eval", *ctx.args]
    cli_evaluate()
    if exits.incomplete():
        raise typer.Exit(IncompleteRunError.exit_code)


def check_installed() -> None:
    """Refuse to go on without an lm-eval that we can work with.

    Raises:
        MissingExtraError: there is none. ConfigError: it is too old.
    """
    if importlib.util.find_spec("lm_eval") is None:
        feature = "codearena lm-eval"
        raise MissingExtraError(feature, "lm-eval")
    version = installed("lm-eval")
    if version is not None and is_too_old(version):
        msg = f"lm-eval {version} is too old: pip install 'lm-eval>={'.'.join(map(str, OLDEST))}'"
        raise ConfigError(msg)


def installed(distribution: str) -> str | None:
    """Return the version of an installed distribution, without importing it; ``None`` if there is none."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def is_too_old(version: str) -> bool:
    """Return whether an lm-eval of this version lacks what our tasks rest on.

    >>> is_too_old("0.4.9.1"), is_too_old("0.4.12"), is_too_old("0.5.0.dev0")
    (True, False, False)
    """
    numbers = [int(part) for part in version.split(".")[:3] if part.isdigit()]
    return tuple(numbers) < OLDEST


def _add_ourselves() -> None:
    import lm_eval._cli.run
    import lm_eval.tasks._index

    from codearena_plugin.harness.lm_eval import exits, hook

    hook.patch_index(lm_eval.tasks._index)  # noqa: SLF001  where lm-eval 0.4.12 and 0.4.13 keep it
    hook.register_models()
    exits.patch_cli(lm_eval._cli.run)  # noqa: SLF001


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lm-eval", cls=AsGiven, add_help_option=False)(lm_eval)
