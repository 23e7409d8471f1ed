"""Every tool chain that is here, with small programs in the sandbox."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import pytest
from small_programs import SMALL

from codearena_plugin.errors import ConfigError
from codearena_plugin.execution.choose import open_sandbox
from codearena_plugin.execution.sandbox import Sandbox, SandboxOptions
from codearena_plugin.execution.toolchains import (
    check_code,
    missing,
    tool_version,
    toolchain,
    toolchains,
    try_program,
)
from codearena_plugin.execution.toolchains.pages import browser
from codearena_plugin.execution.toolchains.trial import RUN
from codearena_plugin.syntax import parsing

SHARED = "mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_SHARED, -1, 0)"
BRIEF = dataclasses.replace(RUN, cpu_s=0.5, wall_s=120.0)
LANGUAGES = tuple(dict.fromkeys(row.language for row in toolchains()))
NO_CHECK = {"Prolog"}  # its directives run as they are read, and no grammar reads it


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    try:
        sandbox = open_sandbox(SandboxOptions())
    except ConfigError as exc:
        pytest.skip(str(exc))
    yield sandbox
    sandbox.close()


def with_a(kind: str) -> pytest.MarkDecorator:
    """Give a test every language that has such a program."""
    return pytest.mark.parametrize("language", [name for name in LANGUAGES if getattr(SMALL[name], kind)])


def needs(language: str) -> None:
    if why := missing(language):
        pytest.skip(why)


@with_a("good")
def test_a_good_program_reads_its_input_and_says_what_it_found(box: Sandbox, language: str) -> None:
    needs(language)
    trial = try_program(box, language, SMALL[language].good, stdin=b"hi\n")
    assert (trial.status, trial.reached, trial.why, trial.stdout.split()) == ("good", "ran", "", ["HI", "42"]), trial


@with_a("good")
def test_a_good_program_passes_the_check_that_runs_nothing(box: Sandbox, language: str) -> None:
    trial = check_code(box, language, SMALL[language].good)
    if trial.status == "not-run":
        pytest.skip(trial.why)
    assert (trial.status, trial.stdout.count("HI 42")) == ("good", 0), trial
    assert trial.reached in {"parsed", "compiled"}


@with_a("broken")
def test_a_broken_program_failed_before_it_ran(box: Sandbox, language: str) -> None:
    needs(language)
    for tried in (try_program, check_code):
        trial = tried(box, language, SMALL[language].broken)
        if tried is check_code and not is_told_from_a_piece(language):
            assert trial.status == "not-run", trial
        elif trial.tried != "parsed" or language not in NO_CHECK:
            assert (trial.status, trial.reached, bool(trial.why)) == ("failed", None, True), trial


def is_told_from_a_piece(language: str) -> bool:
    """Return whether anything here knows a broken program of a language from a piece of a good one."""
    row = toolchain(language)
    is_final = row is not None and row.is_final
    return is_final or parsing.parses(language, SMALL[language].broken) is not None


@with_a("raising")
def test_a_program_that_throws_failed_after_it_was_read(box: Sandbox, language: str) -> None:
    needs(language)
    trial = try_program(box, language, SMALL[language].raising)
    assert (trial.status, bool(trial.why)) == ("failed", True), trial
    assert trial.reached in {"parsed", "compiled"} or language in NO_CHECK


@with_a("endless")
def test_an_endless_program_is_stopped_by_the_clock_of_the_processor(box: Sandbox, language: str) -> None:
    needs(language)
    trial = try_program(box, language, SMALL[language].endless, limits=BRIEF)
    assert (trial.status, "of computing" in trial.why) == ("timeout", True), trial


@with_a("wanting")
def test_a_program_that_needs_what_is_not_here_was_not_run(box: Sandbox, language: str) -> None:
    needs(language)
    trial = try_program(box, language, SMALL[language].wanting)
    assert trial.status == "not-run", trial
    assert SMALL[language].wants in trial.why


@pytest.mark.parametrize(
    ("language", "code", "why"),
    [
        ("Python", "x = input()", "reads input"),
        (
            "Java",
            "class A { public static void main(String[] a) { new java.util.Scanner(System.in).next(); } }",
            "reads",
        ),
        ("C++", "#include <iostream>\nint main() { int n = 0; while (n != 3) std::cin >> n; }", "reads input"),
        ("Python", "import sys\nprint(sys.argv[1])", "arguments"),
        ("Python", "import argparse\np = argparse.ArgumentParser()\np.add_argument('x')\np.parse_args()", "arguments"),
        ("Python", "open('data.csv')", "`data.csv`"),
        ("Python", "print('connection refused')\nanswer = None\nprint(answer.text)", "no network"),
        ("PHP", "<?php include('connection.php'); echo 1;", "`connection.php`"),
        ("Bash", "values=$(awk '{print $2}' input.txt)\necho $values", "`input.txt`"),
        ("Bash", "values=$(cat input.txt)\necho $values", "`input.txt`"),
        ("Python", "import os\nos.environ['API_KEY']", "`API_KEY`"),
        ("Python", "import socket\nsocket.create_connection(('127.0.0.1', 9), 2)", "no network"),
        ("Python", "import mmap\nmmap.mmap(-1, 16)[0]", "more rights"),
        ("C", f"#include <sys/mman.h>\nint main() {{ int *n = {SHARED}; *n = 1; }}", "between processes"),
        ("C++", f"#include <sys/mman.h>\nint main() {{ return {SHARED} == MAP_FAILED; }}", "between processes"),
        ("Python", "import tkinter\ntkinter.Tk()", "not here|display"),
        ("Python", ">>> print(1)\n1", "notebook"),
        ("Bash", "sudo ls", "`sudo`"),
        ("JavaScript", "document.title = 'x'", "browser"),
        ("JavaScript", "const a = <b>hi</b>;", "JSX"),
        ("C", "int twice(int n) { return 2 * n; }", "no `main`"),
        ("Java", "public class A {}\npublic class B {}", "several files"),
        ("C#", 'System.Console.WriteLine("hi");', "newer"),
        ("SQL", "SELEKT 1;", "no SQL of SQLite"),
        (
            "Go",
            'package main\n\nimport "slices"\n\nfunc main() { slices.Sort([]int{1}); min(1, 2) }\n',
            "slices|too old",
        ),
    ],
)
def test_the_place_is_blamed_and_not_the_program(box: Sandbox, language: str, code: str, why: str) -> None:
    if lacks := missing(language):
        pytest.skip(lacks)
    trial = try_program(box, language, code, limits=BRIEF)
    if trial.status == "good":
        pytest.skip("a newer tool chain is here, which has it")
    assert trial.status == "not-run", trial
    assert any(part in trial.why for part in why.split("|")), trial.why


@pytest.mark.parametrize(
    ("language", "code", "reached"),
    [
        ("Java", "int twice(int n) { return 2 * n; }", "parsed"),
        ("C", "uint8_t twice(uint8_t n) { return 2 * n; }", "parsed"),
        ("C++", "int twice(int n) { return 2 * n; }", "compiled"),
        ("Go", "package main\n\nfunc twice(n int) int { return undefined(n) }\n", "parsed"),
        ("Python", "    return 3", "parsed"),
        ("JavaScript", "const a = <b>hi</b>;", "parsed"),
        ("PHP", "function f() { return 1; }", "parsed"),
        ("Swift", "let x = 3", "parsed"),
    ],
)
def test_a_piece_of_code_is_checked_as_a_piece(box: Sandbox, language: str, code: str, reached: str) -> None:
    trial = check_code(box, language, code)
    if trial.status == "not-run":
        pytest.skip(trial.why)
    assert (trial.status, trial.reached) == ("good", reached), trial


FAULTS = [
    ("Python", "print('usage: x, or connection refused')\nprint(1 / 0)"),
    ("Python", "import sys\nname = sys.argv[1] if len(sys.argv) > 1 else ''\nprint(1 / len(name))"),
    ("JavaScript", "console.log('connection refused');\nthrow new RangeError('no');"),
    ("Java", 'class A { public static void main(String[] a) { System.out.println("ENOENT"); int x = 1 / a.length; } }'),
    ("Python", "print(eval('1 +'))"),
    ("Python", "raise EOFError('of a file of its own')"),
    ("Bash", "x=1\nif [$x -eq 1]; then echo y; fi\nexit 1"),
    ("Bash", "add() {\n  echo $(($1 + $2))\n}\nadd 1 2\nfalse"),
    ("Bash", "find . -name x -exec ls"),
    ("Perl", "sub f { my $x = shift; return $x / 0; }\nf(1);"),
    ("C", "#include <stdio.h>\nint main() { char b[9]; FILE *f = 0; if (f) fgets(b, 9, f); *(volatile int *)0 = 1; }"),
    (
        "C++",
        "#include <sstream>\n#include <string>\n#include <vector>\nint main() { std::stringstream s; std::string t; "
        "std::getline(s, t, ','); return std::vector<int>().at(3); }",
    ),
    ("Java", "class A { public static void main(String[] a) { new java.util.LinkedList<Integer>().removeFirst(); } }"),
    ("Java", "class A { public static void main(String[] a) { system.out.println(1); } }"),
    ("Java", "import java.utils.*;\nclass A { public static void main(String[] a) {} }"),
    ("Java", 'class A { public static void main(String[] a) throws Exception { new java.net.URL("x"); } }'),
    ("C#", "class A { static void Main() { var x = new List<int>(); } }"),
    ("Rust", "fn main() { let (mut a, mut b) = (1, 2); mem::swap(&mut a, &mut b); }"),
    ("PHP", "<?php echo isPrime(3);"),
    ("PHP", "<?php echo get_total(3);"),
]


@pytest.mark.parametrize(("language", "code"), FAULTS)
def test_a_program_s_own_fault_is_not_laid_on_the_place(box: Sandbox, language: str, code: str) -> None:
    needs(language)
    trial = try_program(box, language, code)
    assert trial.status == "failed", trial


@pytest.mark.parametrize(
    ("language", "code", "why"),
    [
        ("PHP", "<?php get_header();", "`get_header`"),
        ("Rust", "fn main() { rand::random::<u8>(); }", "`rand`"),
        ("C#", "class A { static void Main() { Foo x = null; } }", "`Foo`"),
        ("Java", "import org.junit.Test;\nclass A { public static void main(String[] a) {} }", "`org.junit`"),
        ("Java", "class A { public static void main(String[] a) { new org.a.b.C(); } }", "`org.a.b`"),
        ("Python", "import sys\ncount = int(sys.argv[1])", "arguments"),
        ("Java", "class A { public static void main(String[] args) { int x = args[0].length(); } }", "arguments"),
        ("Perl", "my $x = shift;\ndie 'none' unless defined $x;", "arguments"),
        ("Bash", 'name="$1"\nexit 2', "arguments"),
    ],
)
def test_what_the_place_lacks_is_still_told(box: Sandbox, language: str, code: str, why: str) -> None:
    needs(language)
    trial = try_program(box, language, code)
    assert (trial.status, why in trial.why) == ("not-run", True), trial


def test_what_a_script_prints_on_purpose_is_no_complaint(box: Sandbox) -> None:
    needs("Bash")
    assert try_program(box, "Bash", "echo 'nginx is not running under systemd'").status == "good"
    assert try_program(box, "Bash", "surely_absent; echo done").status == "not-run"


def test_a_script_that_went_on_without_a_command_did_not_run(box: Sandbox) -> None:
    needs("Bash")
    assert try_program(box, "Bash", "surely_absent; echo done").reached == "parsed"


def test_a_program_that_had_nothing_to_read_says_so_though_it_ended_well(box: Sandbox) -> None:
    needs("C")
    code = '#include <stdio.h>\nint main(void) { int t = 0; scanf("%d", &t); return 0; }'
    trial = try_program(box, "C", code)
    assert (trial.status, trial.reached, trial.why) == ("good", "ran", "it reads input, and got none")
    assert try_program(box, "C", code, stdin=b"1").why == ""


def test_a_page_of_php_has_a_session(box: Sandbox) -> None:
    needs("PHP")
    trial = try_program(box, "PHP", "<?php session_start(); $_SESSION['a'] = 1; echo session_status();")
    assert (trial.status, trial.stdout, trial.stderr) == ("good", "2", "")


@pytest.mark.parametrize("language", [*LANGUAGES, "HTML"])
def test_every_tool_that_is_here_says_its_version(box: Sandbox, language: str) -> None:
    if language != "HTML":
        needs(language)
    elif browser() is None:
        pytest.skip("no browser here")
    said = tool_version(box, language)
    assert re.fullmatch(r"[A-Za-z][^\n]*\d[^\n]*", said), said


def test_what_runs_nothing_has_no_version(box: Sandbox) -> None:
    assert tool_version(box, "Pine Script") == tool_version(box, "") == ""


def test_a_piece_that_only_a_compiler_reads_is_not_blamed_for_being_a_piece(box: Sandbox) -> None:
    needs("C")
    trial = check_code(box, "C", "if (x) y();\n" + "/* more than tree-sitter is asked for */\n" * 600)
    assert (trial.status, trial.reached) == ("not-run", None), trial
    assert "nothing here can tell" in trial.why


def test_a_class_of_any_name_in_any_package_is_started(box: Sandbox) -> None:
    if why := missing("Java"):
        pytest.skip(why)
    code = (
        'package a.b;\ninterface N { String s = "}"; }\n/* class X { */\n'
        "public class Hello { static class In {} public static void main(String... a) { System.out.print(N.s); } }"
    )
    trial = try_program(box, "java", code)
    assert (trial.status, trial.stdout) == ("good", "}"), trial
    trial = try_program(
        box, "java", 'public class Größe { public static void main(String[] a) { System.out.print("ß"); } }'
    )
    assert (trial.status, trial.stdout) == ("good", "ß"), trial


def test_other_files_lie_beside_the_program(box: Sandbox) -> None:
    trial = try_program(box, "py", "import other; print(other.x)", others={"other.py": b"x = 42"})
    assert (trial.status, trial.stdout) == ("good", "42\n"), trial


def test_what_fails_by_its_own_fault_says_so(box: Sandbox) -> None:
    trial = try_program(box, "C++", "#include <vector>\nint main() { return std::vector<int>().at(3); }")
    assert trial.status == "failed"
    assert trial.why.startswith("died of SIGABRT"), trial.why


def test_a_language_without_a_tool_chain_is_not_run(box: Sandbox) -> None:
    assert toolchain("Pine Script") is None
    assert try_program(box, "pine", "plot(close)").why == "no tool chain for Pine Script is known"
    assert check_code(box, "pine", "plot(close)").status == "not-run"


def test_too_much_code_is_not_run(box: Sandbox) -> None:
    assert try_program(box, "Python", "#" * 200_001).why == "longer than 200,000 characters"
