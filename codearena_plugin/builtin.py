"""What the package itself offers, through the same hooks as everyone else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from codearena_plugin import paths
from codearena_plugin.hookspecs import Offer, hookimpl


@hookimpl
def codearena_suites() -> Iterable[Offer]:
    """Return the built-in suites."""
    return [
        Offer("codearena", "codearena_plugin.prompts.builtin:codearena", "CodeArena, 397 real coding questions"),
        Offer(
            "codearena_mini",
            "codearena_plugin.prompts.builtin:codearena_mini",
            "32 prompts of our own, for trying and tests",
        ),
    ]


@hookimpl
def codearena_judges() -> Iterable[Offer]:
    """Return the shipped judge cards."""
    return [
        Offer("codearena", "codearena_plugin.judging.shipped:codearena", "the paper's protocol in our own wording"),
        Offer(
            "codearena-paper",
            "codearena_plugin.judging.shipped:codearena_paper",
            "the paper's exact prompt, obtained at run time",
        ),
        Offer(
            "codearena-evidence",
            "codearena_plugin.judging.shipped:codearena_evidence",
            "codearena, and beside each answer what its code did when it was run",
        ),
        Offer("static", "codearena_plugin.judging.shipped:static", "smoke-test judge without any model"),
    ]


@hookimpl
def codearena_backends() -> Iterable[Offer]:
    """Return the built-in judge back ends."""
    where = "codearena_plugin.judging.backends"
    return [
        Offer("openai", f"{where}.openai:create", "any OpenAI-compatible chat-completions URL"),
        Offer(
            "opencompass",
            "codearena_plugin.harness.opencompass.backend:create",
            "a chat model of OpenCompass, inside one of its evaluations",
        ),
        Offer("replay", f"{where}.replay:create", "verdicts of a stored run, no calls"),
        Offer(
            "static", f"{where}.static:create", "what can be read off two answers; a smoke test, not a preference model"
        ),
    ]


@hookimpl
def codearena_executors() -> Iterable[Offer]:
    """Return the built-in sandboxes."""
    where = "codearena_plugin.execution.backends"
    return [
        Offer(
            "bubblewrap", f"{where}.bubblewrap:executor", "namespaces, by bubblewrap: no network, no files, no way out"
        ),
        Offer("landlock", f"{where}.landlock:executor", "Landlock and seccomp, where user namespaces are forbidden"),
        Offer("sandbox-fusion", f"{where}.fusion:executor", "a SandboxFusion service over HTTP"),
        Offer("unsafe-local", f"{where}.local:executor", "no sandbox at all; marks every output"),
    ]


@hookimpl
def codearena_reporters() -> Iterable[Offer]:
    """Return the built-in output formats."""
    where = "codearena_plugin.report.formats"
    return [
        Offer("json", f"{where}:as_json", "the whole result, schema codearena-result/1"),
        Offer("markdown", f"{where}:as_markdown", "the main numbers and tables"),
    ]


@hookimpl
def codearena_task_dirs() -> Iterable[Path]:
    """Return our own lm-eval tasks."""
    return [paths.data_dir("tasks")]
