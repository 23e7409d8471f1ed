"""``codearena plugins``: what can be named, and which plugin brings it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from codearena_plugin.plugins import Kind


def plugins() -> None:
    """List what plugins bring: suites, judges, back ends, … Broken plugins are named."""
    from codearena_plugin import plugins as installed
    from codearena_plugin.report.console import open_console
    from codearena_plugin.report.untrusted import one_line

    console = open_console()
    table, problems = _table(), []
    for kind in installed.KINDS:
        problems += _add_offers(table, kind)
    for other in ("task_dirs", "commands"):
        _add_others(table, other)
    console.print(table)
    for plugin in installed.plugins():
        state = f"BROKEN, skipped: {plugin.problem}" if plugin.problem else "loaded"
        console.print(one_line(f"plugin {plugin.name} {plugin.version}: {state}"))
    for problem in problems:
        console.print(one_line(problem))


def _table() -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("kind", "name", "plugin", "summary"):
        table.add_column(name, overflow="fold")
    return table


def _add_offers(table: Table, kind: Kind) -> list[str]:
    """Add a row for everything of one kind; return what is wrong with strangers' offers."""
    from codearena_plugin import plugins as installed
    from codearena_plugin.report.untrusted import one_line

    problems, names = [], set()
    for hook in reversed(getattr(installed.manager().hook, f"codearena_{kind}").get_hookimpls()):
        try:
            offers = list(hook.function())
        except Exception as exc:  # the boundary to strangers' code
            problems.append(f"plugin {hook.plugin_name}: its {kind} cannot be listed: {type(exc).__name__}: {exc}")
            continue
        for offer in offers:
            table.add_row(kind, *map(one_line, (offer.name, hook.plugin_name, offer.summary)))
            if offer.name in names:
                problems.append(f"{kind[:-1]} {offer.name!r} is offered twice: uninstall one of the plugins")
            names.add(offer.name)
    return problems


def _add_others(table: Table, kind: str) -> None:
    """Add a row for every plugin with lm-eval tasks or commands of its own."""
    from codearena_plugin import plugins as installed
    from codearena_plugin.report.untrusted import one_line

    what = {"task_dirs": "more lm-eval tasks", "commands": "see codearena --help"}[kind]
    for hook in reversed(getattr(installed.manager().hook, f"codearena_{kind}").get_hookimpls()):
        table.add_row(kind, "", one_line(hook.plugin_name), what)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(plugins)
