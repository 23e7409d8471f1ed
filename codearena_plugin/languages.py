"""Programming languages: from the spellings that people and models use to one canonical name each.

The suite's labels are raw ("js", "node.js", "ahk", "c/c++", "GAS") and models tag their code blocks in as many ways;
both meet here, in one table, so that "right language" and language tables mean the same thing everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

# canonical name -> other spellings (lower case, comma-separated); the name itself, lower-cased, always counts, and so
# does a hyphen for a space. File extensions are here because fences carry them. Dialects stay apart where the paper
# labels them apart (Luau, VBA); who wants them as one says so (judging/static/kinship.py).
_SPELLINGS: Mapping[str, str] = {
    "ABAP": "",
    "Ada": "adb, ads",
    "Apex": "",
    "APL": "",
    "Arduino": "ino",
    # "GAS" is read as the GNU assembler; the data set does not say whether Google Apps Script is meant
    "Assembly": (
        "asm, assembler, gas, nasm, masm, x86asm, x86 assembly, arm assembly, armasm, mips, s, assembly language"
    ),
    "AutoHotkey": "ahk, auto hotkey",
    "AutoIt": "au3",
    "AutoLISP": "auto lisp, lsp, visual lisp",
    "AWK": "gawk",
    "Bash": (
        "sh, shell, zsh, ksh, shellscript, shell script, bash script, console, shell-session, bash-session, terminal"
    ),
    "Batch": "bat, cmd, batchfile, dos, dosbatch, batch script",
    "BASIC": "qbasic, freebasic",
    "Bootstrap": "",
    "C": "h, c99, c11, c51, keil c51, c language, ansi c, embedded c",
    "C#": "csharp, cs, c sharp, .net, dotnet",
    "C++": "cpp, cxx, cc, hpp, c plus plus, cplusplus, qt, c++11, c++14, c++17, c++20",
    "CDS": "",
    "Clojure": "clj, cljs, clojurescript, edn",
    "CMake": "",
    "COBOL": "cob, cbl",
    "CoffeeScript": "coffee",
    "Common Lisp": "commonlisp, lisp, cl",
    "Coq": "",
    "Crystal": "",
    "CSS": "css3, tailwind, tailwindcss",
    "CSV": "",
    "CUDA": "cu, cuda c, cuda c++",
    "Cypher": "",
    "D": "dlang",
    "Dart": "flutter",
    "DAX": "",
    "Delphi": "object pascal, objectpascal",
    "Diff": "patch",
    "Dockerfile": "docker, containerfile, dockerfile.dev",
    "Elixir": "ex, exs",
    "Elm": "",
    "Emacs Lisp": "elisp",
    "Erlang": "erl",
    "Excel": "excel formula, xlsx",
    "F#": "fsharp, fs, f sharp",
    "Fortran": "f90, f95, fortran90",
    "GAMS": "",
    "GDScript": "gd, gdscript3, godot",
    "GLSL": "",
    "Go": "golang",
    "Google Apps Script": "apps script, appsscript",
    "Gradle": "",
    "GraphQL": "gql",
    "Groovy": "jenkinsfile",
    "Haskell": "hs",
    "HCL": "terraform, tf",
    "HLSL": "",
    "HTML": "html5, htm, xhtml",
    "HTTP": "",
    "INI": "cfg, conf, properties",
    "Java": "",
    "JavaScript": "js, node, node.js, nodejs, jsx, mjs, cjs, ecmascript, es6, jquery, java script, reactjs, react",
    "JSON": "jsonc, json5, jsonl, ndjson, geojson",
    "JSP": "",
    "Julia": "jl",
    "Kotlin": "kt, kts",
    "LaTeX": "tex, xelatex, tikz",
    "Less": "",
    "LabVIEW": "",
    "Lean": "",
    "Lua": "",
    "Luau": "roblox lua, roblox",
    "Makefile": "make, mk",
    "Markdown": "md, mdx",
    "Mathematica": "wolfram, wolfram language, wl",
    "MATLAB": "matlab code",
    "Mermaid": "",
    "Metal": "msl",
    "MongoDB": "mongo, mongodb query",
    "MQL4": "mq4",
    "MQL5": "mq5",
    "Nginx": "",
    "Nim": "",
    "Nix": "",
    "Objective-C": "objc, objectivec, obj-c",
    "OCaml": "ml",
    "Octave": "gnu octave",
    "OpenSCAD": "scad",
    "Pascal": "pas, free pascal, freepascal",
    "Perl": "pl",
    "PHP": "php7, php8, laravel",
    "Pine Script": "pinescript, pine",
    "PL/pgSQL": "plpgsql",
    "PL/SQL": "plsql, pl sql, oracle pl/sql",
    "PlantUML": "puml",
    "Power Automate Desktop": "pad, power automate",
    "PowerShell": "ps1, pwsh, posh, power shell, ps",
    "Power Query M": "powerquery, power query, m query",
    "Processing": "pde",
    "Prolog": "",
    "PromQL": "",
    "Protocol Buffers": "protobuf, proto",
    "Python": "py, python3, python2, py3, python 3, ipython, pycon, jupyter, pyspark, numpy, pandas, django",
    "QML": "",
    "R": "rscript, r language, rlang, rmd",
    "Racket": "rkt",
    "Regex": "regexp, regular expression, regular expressions",
    "Ruby": "rb, ruby on rails, rails",
    "Rust": "rs",
    "SAS": "",
    "Scala": "sc, sbt",
    "Scheme": "scm",
    "Scratch": "",
    "SCSS": "sass",
    "Solidity": "sol",
    "SPARQL": "",
    "SPSS": "",
    "SQL": (
        "mysql, postgresql, postgres, psql, sqlite, t-sql, tsql, mssql, pgsql, sql server, hiveql, mariadb, bigquery"
    ),
    "Stata": "",
    "Svelte": "",
    "SVG": "",
    "Swift": "swiftui",
    "SystemVerilog": "sv, system verilog",
    "Tcl": "",
    "TOML": "",
    "TypeScript": "ts, tsx, type script, angular, mts, cts",
    "VBA": "visual basic for applications, excel vba",
    "VBScript": "vbs, vb script",
    "Verilog": "verilog hdl, v",
    "VHDL": "vhd",
    "Vim script": "vim, viml, vimscript",
    "Visual Basic .NET": "vb.net, vbnet, vb .net, vb, visual basic, vb6",
    "Vue": "vue.js, vuejs",
    "WebAssembly": "wasm, wat",
    "XML": "xsd, xaml, wsdl, plist, rss, kml",
    "XSLT": "xsl",
    "YAML": "yml, docker-compose",
    "Zig": "",
}

NO_LANGUAGE = frozenset(
    ("", "general", "none", "n/a", "na", "null", "not applicable", "no language", "other", "others", "any", "unknown")
)

_HYPHEN = re.compile(r"(?<=\w)-(?=\w)")
_JOINTS = re.compile(r"\s*(?:/|,|&|;|\band\b)\s*")


def _key(spelling: str) -> str:
    return _HYPHEN.sub(" ", " ".join(spelling.lower().split()))


NAMES: Mapping[str, str] = {
    _key(spelling): name for name, others in _SPELLINGS.items() for spelling in (name, *filter(None, others.split(",")))
}
"""Spelling, in lower case with spaces for hyphens -> canonical name."""


def canonical_language(spelling: str) -> str | None:
    """Return the canonical name of one spelling, a label or a fence's tag; ``None`` where the table does not know it.

    >>> [canonical_language(spelling) for spelling in ("py", "C++17", "visual-basic", "Befunge", "general")]
    ['Python', 'C++', 'Visual Basic .NET', None, None]
    """
    return NAMES.get(_key(spelling))


def canonical_languages(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the canonical names of raw labels, each once, in order of first mention.

    A joined label whose parts are all known stands for each of them; "general" names no language; a label that the
    table does not know is kept as it is written, so that nothing disappears from a language table.

    >>> canonical_languages(["html/css", "node.js", "js", "general", "Befunge"])
    ('HTML', 'CSS', 'JavaScript', 'Befunge')
    """
    return tuple(dict.fromkeys(name for label in labels for name in _names(label)))


def _names(label: str) -> tuple[str, ...]:
    written = " ".join(label.split())
    if _key(written) in NO_LANGUAGE:
        return ()
    whole = canonical_language(written)
    if whole is not None:  # before splitting: "pl/sql" is one language
        return (whole,)
    parts = [canonical_language(part) for part in _JOINTS.split(written.lower()) if part]
    known = tuple(part for part in parts if part is not None)
    return known if known and len(known) == len(parts) else (written,)
