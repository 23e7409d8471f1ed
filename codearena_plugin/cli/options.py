"""Options that several commands share. A parameter is named as its key in ``--metadata``, so options are one table."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from codearena_plugin.errors import ConfigError

_JUDGE, _LIMITS, _OUTPUT, _EXECUTION = "The judge", "Limits", "Data and output", "Running code"


def _option(flag: str, metavar: str, text: str, panel: str = _JUDGE) -> Any:
    return typer.Option(flag, metavar=metavar, help=text, rich_help_panel=panel, show_default=False)


Suite = Annotated[str, typer.Option(metavar="NAME", help="Suite that the answers belong to.", rich_help_panel=_OUTPUT)]
Data = Annotated[str | None, _option("--data", "PATH", "The suite's own file: .jsonl, .jsonl.gz, directory.", _OUTPUT)]
Baseline = Annotated[str | None, _option("--baseline", "MODEL", "Whose stored answers are the opponent.", _OUTPUT)]
Taxonomy = Annotated[str | None, _option("--taxonomy", "FILE", "The authors' tasktype_to_levels.json.", _OUTPUT)]
OnlyAnswered = Annotated[
    bool | None,
    typer.Option(
        "--only-answered",
        help="Judge the prompts that have an answer; by default missing answers are an error.",
        rich_help_panel=_OUTPUT,
        show_default=False,
    ),
]
MaxWords = Annotated[
    str | None, _option("--max-words", "N", "Leave out prompts of N words or more (the paper: 1024).", _OUTPUT)
]
Output = Annotated[str | None, _option("--output", "DIR", "Where answers, games and result are kept.", _OUTPUT)]
Tables = Annotated[
    str, typer.Option(metavar="main|all|none", help="Which tables of parts to print.", rich_help_panel=_OUTPUT)
]

Evidence = Annotated[
    str | None,
    _option("--evidence", "FILE|RUN", "What the answers' code does, from `codearena execute`.", _EXECUTION),
]
Execute = Annotated[
    bool | None,
    typer.Option(
        "--execute",
        help="Run the answers' code in a sandbox where the judge needs evidence that is not there.",
        rich_help_panel=_EXECUTION,
        show_default=False,
    ),
]
Sandbox = Annotated[str | None, _option("--sandbox", "NAME", "Sandbox: auto, bubblewrap, landlock, …", _EXECUTION)]
SandboxPython = Annotated[
    str | None, _option("--sandbox-python", "PATH", "Interpreter that runs Python code.", _EXECUTION)
]
SandboxUrl = Annotated[str | None, _option("--sandbox-url", "URL", "Of a SandboxFusion service.", _EXECUTION)]
SandboxRead = Annotated[
    str | None, _option("--sandbox-read", "PATHS", "More paths that code may read, as in PATH.", _EXECUTION)
]
UnsafeLocal = Annotated[
    bool,
    typer.Option(
        "--unsafe-local",
        help="Run code without any sandbox, as you; every output is marked.",
        rich_help_panel=_EXECUTION,
        show_default=False,
    ),
]
Workers = Annotated[str | None, _option("--workers", "N", "Sandboxes at once; default: one a core.", _EXECUTION)]

Judge = Annotated[str | None, _option("--judge", "CARD", "Judge card, or the path of its folder.")]
JudgeModel = Annotated[str | None, _option("--judge-model", "MODEL", "Model to ask instead of the card's.")]
JudgeUrl = Annotated[str | None, _option("--judge-base-url", "URL", "OpenAI-compatible, as http://localhost:8000/v1.")]
JudgeBackend = Annotated[
    str | None, _option("--judge-backend", "NAME", "Back end: openai, replay, static or a plugin's.")
]
JudgePrompt = Annotated[str | None, _option("--judge-prompt", "FILE", "Judge prompt of a card that ships without one.")]
Order = Annotated[str | None, _option("--order", "ORDER", "both, baseline_first or answer_first.")]
Mode = Annotated[str | None, _option("--mode", "MODE", "default, or reference: read as the published script does.")]
MaxTokens = Annotated[str | None, _option("--max-tokens", "N", "Longest reply of the judge, in tokens.")]
Temperature = Annotated[str | None, _option("--temperature", "T", "The judge's sampling temperature.")]
Reasoning = Annotated[
    bool | None,
    typer.Option(
        "--reasoning/--no-reasoning",
        help="Ask as a reasoning model is asked; by default its name decides.",
        rich_help_panel=_JUDGE,
        show_default=False,
    ),
]
Again = Annotated[
    str | None, _option("--again", "STATUS,…", "Ask stored games of these statuses once more, as unparsable,truncated.")
]
Replay = Annotated[str | None, _option("--replay", "RUN", "Take the replies of a stored run; no call is made.")]
Store = Annotated[str | None, _option("--store", "PATH", "SQLite file in which all replies are kept.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Any other judge_ option, as judge_top_p=0.9.", rich_help_panel=_JUDGE
    ),
]

Concurrency = Annotated[str | None, _option("--concurrency", "N", "Requests under way at once, at most.", _LIMITS)]
MaxCost = Annotated[str | None, _option("--max-cost-usd", "X", "Stop in order before spending more.", _LIMITS)]
MaxCalls = Annotated[str | None, _option("--max-calls", "N", "Stop in order after N calls.", _LIMITS)]
MinCoverage = Annotated[
    str | None, _option("--min-coverage", "S", "Below this share of scored prompts no score (0.95).", _LIMITS)
]
Tries = Annotated[str | None, _option("--tries", "N", "Requests sent for one question, at most.", _LIMITS)]
Timeout = Annotated[str | None, _option("--timeout-s", "S", "Seconds that one request may take.", _LIMITS)]
Deadline = Annotated[str | None, _option("--deadline-s", "S", "Seconds that all judging may take.", _LIMITS)]
Prices = Annotated[str | None, _option("--prices", "FILE", "YAML of model prices, beside our own table.", _LIMITS)]


def given(ctx: typer.Context) -> dict[str, Any]:
    """Return the judge and run options that were given, with those of ``--set``.

    Raises:
        ConfigError: a ``--set`` that is no ``judge_…=value``, or an option given in both ways.
    """
    ours = {name: value for name, value in ctx.params.items() if name.partition("_")[0] in {"judge", "codearena"}}
    options = {name: value for name, value in ours.items() if value is not None}
    if ctx.params.get("unsafe_local"):
        if options.get("codearena_sandbox"):
            msg = f"--sandbox {options['codearena_sandbox']!r} and --unsafe-local: leave one out."
            raise ConfigError(msg)
        options["codearena_sandbox"] = "unsafe-local"
    for item in ctx.params.get("settings") or ():
        key, equals, value = item.partition("=")
        if not equals or not key.startswith("judge"):
            shown = f"{key!r}" if equals else "a text without '='"  # never the value: somebody may try a key here
            msg = f"--set expects judge_…=value, such as judge_top_p=0.9, got {shown}."
            raise ConfigError(msg)
        if key in options:
            msg = f"{key} is given twice, as an option of its own and with --set. Leave one out."
            raise ConfigError(msg)
        options[key] = value
    return options


def chosen_tables(name: str) -> tuple[str, ...]:
    """Return the kinds of table that ``--tables`` names.

    Raises:
        ConfigError: it names none.
    """
    from codearena_plugin.errors import unknown_name
    from codearena_plugin.report.facts import MAIN_TABLES
    from codearena_plugin.runs.result import STRATA

    known: dict[str, tuple[str, ...]] = {"main": MAIN_TABLES, "all": STRATA, "none": ()}
    if name not in known:
        raise ConfigError(unknown_name("choice of tables", name, known))
    return known[name]
