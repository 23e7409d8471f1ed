from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from codearena_plugin import plugins
from codearena_plugin.cli import main as main_module
from codearena_plugin.errors import IncompleteRunError

COMMANDS = (
    *("judge", "rescore", "compare", "leaderboard", "report", "show", "import", "export"),
    *("path", "lm-eval", "plugins", "doctor"),
)


def test_help_names_every_command(codearena):
    done = codearena("--help")
    assert done.code == 0
    assert all(f" {name} " in done.out for name in COMMANDS)


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "lm-eval"])
def test_every_command_explains_itself(codearena, command):
    done = codearena(command, "--help")
    assert done.code == 0
    assert f"codearena {command}" in done.out


def test_without_a_command_the_help_is_printed_and_it_is_a_mistake(codearena):
    done = codearena()
    assert done.code == 2
    assert "judge" in done.out


def test_the_version_is_printed(codearena):
    assert codearena("--version").out.startswith("codearena-plugin ")


def test_a_misspelt_command_is_one_line(codearena):
    done = codearena("jugde")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "No such command 'jugde'" in done.err


def test_a_key_as_an_option_is_refused_without_repeating_it(codearena):
    done = codearena("judge", "answers.jsonl", "--judge-api-key=sk-very-secret")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "CODEARENA_JUDGE_API_KEY" in done.err
    assert "sk-very-secret" not in done.out + done.err


def _raising(monkeypatch, exc: BaseException) -> None:
    def fail(_directory: str) -> None:
        raise exc

    monkeypatch.setattr("codearena_plugin.paths.data_dir", fail)


def test_an_error_of_ours_is_one_line_with_its_exit_code(codearena, monkeypatch):
    _raising(monkeypatch, IncompleteRunError("half of it\nis \x1b[31mmissing"))
    done = codearena("path", "lm-eval")
    assert done.code == 3
    assert done.err == "codearena: half of it is ␛[31mmissing\n"


def test_an_interrupt_is_one_line_and_130(codearena, monkeypatch):
    _raising(monkeypatch, KeyboardInterrupt("interrupted; all is kept"))
    done = codearena("path", "lm-eval")
    assert done.code == 130
    assert done.err == "codearena: interrupted; all is kept\n"


def test_a_bug_keeps_its_traceback(codearena, monkeypatch):
    _raising(monkeypatch, ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        codearena("path", "lm-eval")


def test_a_plugin_adds_commands_and_a_broken_one_is_named_and_skipped(monkeypatch, caplog):
    class Good:
        @plugins.hookspecs.hookimpl
        def codearena_commands(self, app: typer.Typer) -> None:
            app.command("greet")(lambda: typer.echo("hello from a plugin"))

    class Broken:
        problem = RuntimeError("out of order")

        @plugins.hookspecs.hookimpl
        def codearena_commands(self) -> None:
            raise self.problem

    app = typer.Typer()
    monkeypatch.setattr(main_module, "app", app)
    manager = plugins.manager()
    manager.register(Good(), name="good")
    manager.register(Broken(), name="broken")
    try:
        main_module._add_plugin_commands.__wrapped__()
    finally:
        manager.unregister(name="good")
        manager.unregister(name="broken")
    assert [command.name for command in app.registered_commands] == ["greet"]
    assert "'broken'" in caplog.text
    assert "out of order" in caplog.text


def test_the_help_loads_nothing_heavy():
    code = (
        "import sys; from codearena_plugin.cli.main import main; main(['--help']);"
        "print([m for m in ('numpy', 'scipy', 'aiohttp', 'pydantic_core', 'yaml', 'datasets', 'lm_eval', 'sqlite3')"
        " if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_the_console_script_starts_quickly():
    script = Path(sys.executable).with_name("codearena")
    times = []
    for _ in range(3):
        began = os.times()
        subprocess.run([script, "--help"], capture_output=True, check=True)
        ended = os.times()
        times.append(ended.children_user + ended.children_system - began.children_user - began.children_system)
    assert min(times) < 1.0  # of computing, whatever else the machine does; 0.3 s are usual


def test_an_ascii_terminal_loses_no_result(static_run, codearena):
    run = static_run("careful")
    script = Path(sys.executable).with_name("codearena")
    done = subprocess.run(
        [script, "show", run, "mini-001"], capture_output=True, check=False, env={"PYTHONIOENCODING": "ascii"}
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which only Linux has")
def test_output_that_cannot_be_written_is_one_line(static_run):
    script = Path(sys.executable).with_name("codearena")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [script, "show", static_run("careful")], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.stderr.startswith("codearena: the output cannot be written")
    assert "Traceback" not in done.stderr
    assert done.returncode != 1


def test_the_module_runs_as_the_command_does():
    done = subprocess.run(
        [sys.executable, "-m", "codearena_plugin", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("codearena-plugin ")


def test_path_prints_the_task_directory_and_knows_no_other_harness(codearena):
    done = codearena("path", "lm-eval")
    assert (Path(done.out.strip()) / "codearena_mini" / "task.yaml").is_file()
    assert codearena("path", "lm_eval").code == 2


def test_usage_errors_are_recognised_whatever_library_raises_them():
    exc = SimpleNamespace(ctx=None)
    assert main_module._usage_line(exc, "No such option: --key") == (
        "No such option: --key A judge key is no option: set CODEARENA_JUDGE_API_KEY in the environment."
    )
