"""Which lines of code are comments, language by language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from codearena_plugin.languages import canonical_language


class Comments(NamedTuple):
    """How a language writes comments: to the end of the line, and between two signs; ``unless`` it starts so."""

    line: tuple[str, ...] = ()
    block: tuple[tuple[str, str], ...] = ()
    unless: tuple[str, ...] = ()


_STARS, _TAGS = ("/*", "*/"), ("<!--", "-->")
_SLASHES = Comments(("//",), (_STARS,))
_HASH = Comments(("#",), unless=("#!",))
_SEMICOLON = Comments((";",), (("#|", "|#"),))
_APOSTROPHE = Comments(("'", "REM ", "Rem ", "rem "))
_TEXT = Comments()
_UNKNOWN = Comments(("//", "# ", "-- "), (_STARS, _TAGS))

_SPOKEN: Sequence[tuple[Comments, str]] = (
    (
        _SLASHES,
        "Apex, Arduino, C, C#, C++, CDS, CUDA, Cypher, Dart, GLSL, Go, Google Apps Script, Gradle, Groovy, HLSL, Java, "
        "JSON, Kotlin, Less, Metal, MongoDB, MQL4, MQL5, Objective-C, OpenSCAD, Pine Script, Power Query M, "
        "Processing, Protocol Buffers, QML, Rust, Scala, SCSS, Solidity, Swift, SystemVerilog, Verilog, Zig",
    ),
    (Comments(("//",), (_STARS, ("{/*", "*/}"))), "JavaScript, TypeScript"),
    (Comments(("//",), (_STARS, ("/+", "+/"))), "D"),
    (Comments(("//",), (_TAGS, _STARS, ("{/*", "*/}"), ("<%--", "--%>"))), "Bootstrap, HTML, JSP, Svelte, Vue"),
    (Comments((), (_STARS,)), "CSS"),
    (Comments((), (_TAGS,)), "Markdown, SVG, XML, XSLT"),
    (Comments(("#", "//"), (_STARS,), ("#!", "#[")), "PHP"),
    (Comments(("#", "//"), (_STARS,)), "HCL, Nix"),
    (
        _HASH,
        "AWK, Bash, CMake, Crystal, Dockerfile, Elixir, GDScript, GraphQL, HTTP, Makefile, Nginx, Perl, PromQL, "
        "Python, R, SPARQL, Tcl, TOML, YAML",
    ),
    (Comments(("#",), (("=begin", "=end"),), ("#!",)), "Ruby"),
    (Comments(("#",), (("<#", "#>"),), ("#!", "#Requires", "#requires")), "PowerShell"),
    (Comments(("#",), (("#=", "=#"),), ("#!",)), "Julia"),
    (Comments(("#",), (("#[", "]#"),), ("#!",)), "Nim"),
    (Comments(("#",), (("###", "###"),), ("#!",)), "CoffeeScript"),
    (Comments(("--",), (_STARS,)), "PL/pgSQL, PL/SQL, SQL"),
    (Comments(("--", "//"), (_STARS,)), "DAX"),
    (Comments(("--",)), "Ada, VHDL"),
    (Comments(("--",), (("{-", "-}"),), ("-->",)), "Elm, Haskell"),
    (Comments(("--",), (("/-", "-/"),)), "Lean"),
    (Comments(("--",), (("--[[", "]]"), ("--[=[", "]=]"))), "Lua, Luau"),
    (_SEMICOLON, "Clojure, Common Lisp, Emacs Lisp, Racket, Scheme"),
    (Comments((";",), ((";|", "|;"),)), "AutoLISP"),
    (Comments((";",), (_STARS,)), "AutoHotkey"),
    (Comments((";",), (("#cs", "#ce"),)), "AutoIt"),
    (Comments((";", "#"), unless=("#!",)), "INI"),
    (Comments((";", "//", "# ", "@ "), (_STARS,)), "Assembly"),
    (Comments((";;",), (("(;", ";)"),)), "WebAssembly"),
    (Comments(("%",)), "Erlang, LaTeX"),
    (Comments(("%",), (_STARS,)), "Prolog"),
    (Comments(("%", "#"), (("%{", "%}"),), ("#!",)), "MATLAB, Octave"),
    (Comments(("%%",)), "Mermaid"),
    (Comments(("//",), (("(*", "*)"),)), "F#"),
    (Comments((), (("(*", "*)"),)), "Coq, Mathematica, OCaml"),
    (Comments(("//",), (("{", "}"), ("(*", "*)"))), "Delphi, Pascal"),
    (_APOSTROPHE, "BASIC, PlantUML, VBA, VBScript, Visual Basic .NET"),
    (Comments(("::", "REM ", "Rem ", "rem ", "@REM ", "@Rem ", "@rem ")), "Batch"),
    (Comments(("!",)), "Fortran"),
    (Comments(("*",)), "COBOL, GAMS, SPSS"),
    (Comments(("*", "//"), (_STARS,)), "SAS, Stata"),
    (Comments(("*", '"')), "ABAP"),
    (Comments(('"',)), "Vim script"),
    (Comments(("⍝",)), "APL"),
    (_TEXT, "CSV, Diff, Excel, LabVIEW, Power Automate Desktop, Regex, Scratch"),
)
COMMENTS: Mapping[str, Comments] = {name: how for how, names in _SPOKEN for name in names.split(", ")}
"""Canonical language name -> how it writes comments."""

_TEXT_TAGS = frozenset(("text", "txt", "plaintext", "plain", "output", "log", "tsv", "math", "none"))


def comment_lines(lines: Sequence[str], tag: str) -> int:
    """Return on how many lines of code stands nothing but a comment.

    A docstring is a string and a shebang an instruction, so neither is one. A comment between two signs counts if it
    opens at the start of a line: behind code, "/*" may as well be part of a string such as "src/*", and all the rest
    would be taken for a comment.

    Args:
        lines: of one fenced block.
        tag: of its fence; decides the language. Of an unknown language, or none, what most languages share counts.

    >>> comment_lines(["#!/bin/sh", "# list", "ls  # all"], "bash"), comment_lines(["/* a", "b */", "c();"], "js")
    (1, 2)
    """
    comments = _comments_of(tag)
    n = 0
    close = ""  # what ends the comment that is open
    for whole in lines:
        line = whole.lstrip()
        if not close:
            opening = next((pair for pair in comments.block if line.startswith(pair[0])), None)
            if opening is None:
                n += line.startswith(comments.line) and not line.startswith(comments.unless)
                continue
            close = opening[1]
            line = line[len(opening[0]) :]
        _, end, behind = line.partition(close)
        n += not behind.strip() or behind.lstrip().startswith(comments.line)
        close = "" if end else close
    return n


def _comments_of(tag: str) -> Comments:
    if tag in _TEXT_TAGS:
        return _TEXT
    name = canonical_language(tag)
    return _UNKNOWN if name is None else COMMENTS[name]
