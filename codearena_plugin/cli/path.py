"""``codearena path``: where a harness finds our definitions."""

from __future__ import annotations

from typing import Annotated

import typer

from codearena_plugin.errors import ConfigError, unknown_name


def path(harness: Annotated[str, typer.Argument(help="lm-eval: the directory for its --include_path.")]) -> None:
    """Print the directory of our tasks, for lm_eval --include_path."""
    from codearena_plugin import paths

    if harness != "lm-eval":
        raise ConfigError(unknown_name("harness", harness, ["lm-eval"]))
    typer.echo(paths.data_dir("tasks"))


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(path)
