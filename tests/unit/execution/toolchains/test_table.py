from __future__ import annotations

from pathlib import Path

import pytest
from small_programs import SMALL

from codearena_plugin.errors import DataError
from codearena_plugin.execution.sandbox import Ending, Finished, Job, SandboxOptions
from codearena_plugin.execution.toolchains import record, toolchains, try_program
from codearena_plugin.execution.toolchains.naming import java_types
from codearena_plugin.languages import NAMES

ASKED = (
    *("Python", "JavaScript", "TypeScript", "Bash", "C", "C++", "Java", "C#", "Go", "Rust", "Ruby", "PHP", "SQL"),
    *("Lua", "Perl", "R", "Verilog", "Haskell"),
)


def test_every_language_that_was_promised_has_a_row_and_every_row_is_tested() -> None:
    rows = {row.language for row in toolchains()}
    assert set(ASKED) <= rows <= set(NAMES.values())
    assert rows == set(SMALL)


def test_every_row_names_its_tools_and_the_packages_that_bring_them() -> None:
    for row in toolchains():
        assert all((row.tools, row.package, row.run, row.file)), row.language
        for argv in (row.check, row.compile, row.run):
            assert not argv or argv[0] in {*row.tools, "./main", "sh", "gofmt", "python"}, row.language


def test_a_program_that_the_sandbox_does_not_see_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "bin" / "surely-absent"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    assert record.no_tool("surely-absent", "a-package") == "no `surely-absent` here (Debian package a-package)"
    monkeypatch.setenv("PATH", str(tool.parent))
    assert record.absent(["surely-absent"]) == ["surely-absent"]
    assert record.no_tool("surely-absent", "a b") == (
        f"no `surely-absent` in the sandbox, which does not see {tool} "
        "(Debian packages a b, or its place in codearena_sandbox_read)"
    )
    assert record.absent(["surely-absent"], [str(tmp_path)]) == []


class Nothing:
    """A sandbox in which no program can be started."""

    name, is_isolated, notice = "nothing", True, ""

    def run(self, job: Job) -> Finished:
        return Finished(
            (Ending("lost", problem=f"{job.steps[0].argv[0]} cannot be started: No such file or directory"),)
        )

    def close(self) -> None: ...


def test_a_missing_tool_chain_is_never_the_answers_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "_is_seen", lambda tool, read_only: False)
    monkeypatch.setenv("PATH", "/nowhere")
    trial = try_program(Nothing(), "go", "package main")
    assert (trial.status, trial.why) == ("not-run", "no `go` here (Debian package golang-go)")
    assert record.missing("golang") == trial.why
    assert record.missing("golang", SandboxOptions(name="sandbox-fusion")) == ""
    assert record.missing("Pine Script") == "no tool chain for Pine Script is known"
    assert record.missing("Python") == ""


def test_a_damaged_table_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "toolchains.yaml"
    table.write_text("elsewhere: []\ntoolchains:\n  - {language: X, tolls: [x]}\n")
    monkeypatch.setattr(record, "TABLE", table)
    with pytest.raises(DataError, match=r"toolchains\.yaml' is no table of tool chains \(.*tolls.*install"):
        record._table.__wrapped__()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("class A {}\npublic final class B { public static void main(String[] a) {} }", ("B", "B", "A")),
        ("public record P(int x) {}\nclass M { static void main(String[] a) {} }", ("P", "", "P")),
        ("// public class Z\nenum E { A; }\nclass M { private static final void main(String[] a) {} }", ("", "M", "E")),
        ("String s = \"class X {\"; char c = '{'; class Y {}", ("", "", "Y")),
        ('class T { String s = """\n { public class Q """; }\npublic class U {}', ("U", "", "T")),
        ("/* class N", ("", "", "")),
    ],
)
def test_the_types_of_a_java_file_are_found(code: str, found: tuple[str, str, str]) -> None:
    public, starts, first = java_types(code)
    assert (public, first) == (found[0], found[2])
    assert starts in {found[1], "M"}
