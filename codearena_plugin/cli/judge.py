"""``codearena judge``: answers in, verdicts and a result out. Its options; the work is in ``asking.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codearena_plugin.cli import options as opt


def judge(  # noqa: PLR0913  one parameter per option that a user can give
    ctx: typer.Context,
    answers: Annotated[Path, typer.Argument(help="JSONL, lm-eval's samples_*.jsonl, or a run directory.")],
    *,
    suite: opt.Suite = "codearena",
    codearena_data: opt.Data = None,
    codearena_baseline: opt.Baseline = None,
    codearena_taxonomy: opt.Taxonomy = None,
    codearena_max_words: opt.MaxWords = None,
    codearena_only_answered: opt.OnlyAnswered = None,
    codearena_output: opt.Output = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model that answered; chooses among several in the file.")
    ] = None,
    tables: opt.Tables = "main",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what it would take, ask nothing.")] = False,
    codearena_evidence: opt.Evidence = None,
    codearena_execute: opt.Execute = None,
    codearena_sandbox: opt.Sandbox = None,
    unsafe_local: opt.UnsafeLocal = False,  # read from the context, with all others
    judge: opt.Judge = None,
    judge_model: opt.JudgeModel = None,
    judge_base_url: opt.JudgeUrl = None,
    judge_backend: opt.JudgeBackend = None,
    judge_prompt: opt.JudgePrompt = None,
    judge_order: opt.Order = None,
    judge_mode: opt.Mode = None,
    judge_max_tokens: opt.MaxTokens = None,
    judge_temperature: opt.Temperature = None,
    judge_reasoning: opt.Reasoning = None,
    judge_again: opt.Again = None,
    judge_replay: opt.Replay = None,
    judge_store: opt.Store = None,
    settings: opt.Set = None,
    judge_concurrency: opt.Concurrency = None,
    judge_max_cost_usd: opt.MaxCost = None,
    judge_max_calls: opt.MaxCalls = None,
    judge_min_coverage: opt.MinCoverage = None,
    judge_tries: opt.Tries = None,
    judge_timeout_s: opt.Timeout = None,
    judge_deadline_s: opt.Deadline = None,
    judge_prices: opt.Prices = None,
) -> None:
    """Judge a model's answers against the baseline. The same command again resumes."""
    from codearena_plugin.cli.asking import judge_file

    judge_file(answers, suite, opt.given(ctx), model=model, tables=opt.chosen_tables(tables), dry_run=dry_run)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(judge)
