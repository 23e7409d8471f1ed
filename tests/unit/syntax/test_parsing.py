from __future__ import annotations

import importlib.metadata
import sys
import time
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codearena_plugin.syntax import parsing
from codearena_plugin.syntax.grammars import GRAMMARS
from codearena_plugin.syntax.parsing import parses

needs_extra = pytest.mark.skipif(not parsing.has_extra(), reason="the extra 'syntax' is not installed")


@pytest.fixture
def without_extra(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(parsing, "extra_version", lambda: None)
    parsing._parser.cache_clear()
    yield
    parsing._parser.cache_clear()


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("Python", "def f(x):\n    return x"),
        ("py", "    indented = True\n    return indented"),
        ("Python", ">>> for i in range(2):\n...     print(i)\n...\n0\n1\n>>> f(1)\n'out: put'"),
        ("Python", 'def f():\n    """Say.\n\n    >>> f()\n    3\n    """\n    return 3'),
        ("Python", "%matplotlib inline\n!pip install x\nimport x"),
        ("Python", "import re\nre.compile('\\d')"),
        ("Python", "await task"),
        ("JSON", '{"a": [1, 2]}'),
        ("JSON", '{"a": 1}\n{"a": 2}'),
        ("XML", '<?xml version="1.0"?>\n<a b="1"><c/></a>'),
        ("XML", "<a/>\n<b/>"),
        ("HTML", "<!DOCTYPE html><ul><li>one<li>two</ul><br><img src=x>"),
        ("HTML", "<script>if (a < b && c > d) {}</script>"),
    ],
)
def test_good_code_parses_with_the_standard_library_alone(language: str, code: str, without_extra: None) -> None:
    assert parses(language, code) is True


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("Python", "def f(:\n"),
        ("Python", "x = 1\0"),
        ("JSON", '{"a": ...}'),
        ("JSON", "{'a': 1}"),
        ("XML", "<a><b></a>"),
        ("XML", "</fragment><fragment>"),
        ("HTML", "<div><span></div>"),
        ("HTML", "</section>"),
    ],
)
def test_broken_code_does_not(language: str, code: str) -> None:
    assert parses(language, code) is False


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_toml_is_read_where_python_can() -> None:
    assert parses("TOML", "[a]\nb = 1") is True
    assert parses("TOML", "[a\nb = 1") is False


@needs_extra
@pytest.mark.parametrize(
    ("language", "good", "bad"),
    [
        ("JavaScript", "const f = (x) => x + 1;", "const f = (x => ;"),
        ("TypeScript", "const C = () => <div>{x as string}</div>;", "let x: = 1;"),
        ("C++", "int main() { return 0; }", "int main() { return 0"),
        ("C#", "var x = 1;", "var x = ;"),
        ("PHP", "function f() { return 1; }", "function f( { return 1; }"),
        ("Rust", "fn main() {}", "fn main( {}"),
        ("Go", "x := 1\nif err != nil { return err }", "func ( {"),
        ("Dockerfile", 'FROM a\nCMD ["x"]', "FROM"),
        ("MATLAB", "plot(t, y), grid on", "x = [1 2"),
    ],
)
def test_other_languages_are_read_with_the_extra(language: str, good: str, bad: str) -> None:
    assert parses(language, good) is True
    assert parses(language, bad) is False


@needs_extra
def test_every_grammar_in_our_table_exists() -> None:
    missing = [name for name in GRAMMARS if parsing._parser(name) is None]
    assert missing == []


@needs_extra
def test_an_error_from_a_grammar_that_flags_valid_programs_proves_nothing() -> None:
    assert parses("Bash", "if [ -f x ]; then ls; fi") is True
    assert parses("Bash", "if then ((") is None


def test_without_the_extra_other_languages_are_unknown(without_extra: None) -> None:
    assert parses("Rust", "fn main() {}") is None


@pytest.mark.parametrize("language", ["Pine Script", "GAMS", "general", "text", ""])
def test_a_language_without_a_parser_is_unknown(language: str) -> None:
    assert parses(language, "whatever") is None


def test_xml_with_a_document_type_is_not_read_so_that_no_entity_is_expanded() -> None:
    laughs = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><l>&b;</l>'
    assert parses("XML", laughs) is None
    assert parses("XML", "<l>&b;</l>") is False


@pytest.mark.parametrize(
    "code",
    ["(" * 5_000 + ")" * 5_000, "-" * 199_000 + "1", "a" + ".b" * 99_000, "not " * 49_000 + "1", "1" + "+1" * 99_000],
)
def test_deep_nesting_is_unknown_and_never_a_crash(code: str) -> None:
    assert parses("Python", code) is not False, "Python 3.10 parses some of these, later ones give up"
    assert parses("JSON", "[" * 90_000 + "]" * 90_000) is None


def test_more_code_than_the_limit_is_unknown() -> None:
    assert parses("Python", "x = 1\n" * 40_000) is None
    assert parses("JavaScript", "x = 1;\n" * 4_000) is None


@pytest.mark.parametrize("language", ["Python", "JSON", "XML", "HTML", "Rust", "TOML"])
def test_lone_surrogates_are_read_like_any_odd_character(language: str) -> None:
    assert parses(language, "\ud800") in (True, False, None)


@pytest.mark.parametrize("piece", ["<a ", '<a x="', "<!--", "<![", "</", "<?", "&", "<script>", "{", "(}", "'\"", "a,"])
@pytest.mark.parametrize("language", ["HTML", "XML", "Python", "JavaScript", "Lua"])
def test_garbage_is_read_in_bounded_time(language: str, piece: str) -> None:
    size = parsing.limit(language) - 1
    started = time.process_time()
    parses(language, (piece * (size // len(piece) + 1))[:size])
    assert time.process_time() - started < 4.0


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["Python", "JSON", "XML", "HTML", "TOML", "JavaScript", "Haskell", "YAML"]), st.text(max_size=300)
)
def test_parsing_never_raises(language: str, code: str) -> None:
    assert parses(language, code) in (True, False, None)


@pytest.mark.parametrize(
    ("version", "python", "said"),
    [
        (None, (3, 10), "python-3.10"),
        ("0.13.0", (3, 11), "python-3.11+tree-sitter-0.13"),
        ("0.7.4", (3, 13), "python-3.13+tree-sitter-0.7"),
    ],
)
def test_what_reads_code_here_is_named(
    version: str | None, python: tuple[int, int], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing, "extra_version", lambda: version)
    monkeypatch.setattr(sys, "version_info", SimpleNamespace(major=python[0], minor=python[1]))
    assert parsing.parsers() == said


@pytest.mark.parametrize(
    ("version", "found"), [("0.13.0", "0.13.0"), ("1.0.0", None), (PackageNotFoundError("tree"), None)]
)
def test_a_pack_that_would_download_its_grammars_is_none(
    version: str | Exception, found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(_name: str) -> str:
        if isinstance(version, Exception):
            raise version
        return version

    monkeypatch.setattr(importlib.metadata, "version", look_up)
    assert parsing.extra_version.__wrapped__() == found
