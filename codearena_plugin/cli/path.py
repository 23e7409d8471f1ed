"""``codearena path``: where a harness finds our definitions."""

from __future__ import annotations

from typing import Annotated

import typer

from codearena_plugin.errors import ConfigError, unknown_name


def path(
    harness: Annotated[str, typer.Argument(help="lm-eval (for --include_path) or opencompass (for --config-dir).")],
) -> None:
    """Print the directory of our tasks or configs, for lm_eval --include_path and opencompass --config-dir."""
    from codearena_plugin import paths
    from codearena_plugin.harness.opencompass import hook

    places = {"lm-eval": paths.data_dir("tasks"), "opencompass": hook.config_dir()}
    if harness not in places:
        raise ConfigError(unknown_name("harness", harness, places))
    typer.echo(places[harness])


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(path)
