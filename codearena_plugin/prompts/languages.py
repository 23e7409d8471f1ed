"""Programming languages: from the labels people write to one canonical name each.

The suite's labels are raw ("js", "node.js", "ahk", "c/c++", "GAS") and models tag their code blocks in as many ways;
both meet here, in one table, so that "right language" and language tables mean the same thing everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

# canonical name -> other spellings (lower case, comma-separated); the name itself, lower-cased, always counts.
# File extensions are here because fences carry them. Dialects stay apart where the paper labels them apart (Luau, VBA).
_SPELLINGS: Mapping[str, str] = {
    "ABAP": "",
    "Ada": "adb, ads",
    "Apex": "",
    "APL": "",
    "Arduino": "ino",
    # "GAS" is read as the GNU assembler; the data set does not say whether Google Apps Script is meant
    "Assembly": "asm, assembler, gas, nasm, masm, x86asm, x86 assembly, arm assembly, armasm, mips, assembly language",
    "AutoHotkey": "ahk, auto hotkey",
    "AutoIt": "au3",
    "AutoLISP": "auto lisp, lsp, visual lisp",
    "AWK": "gawk",
    "Bash": "sh, shell, zsh, ksh, shellscript, shell script, bash script, console, shell-session, terminal",
    "Batch": "bat, cmd, batchfile, dos, dosbatch, batch script",
    "BASIC": "qbasic, freebasic",
    "Bootstrap": "",
    "C": "h, c99, c11, c51, keil c51, c language, ansi c, embedded c",
    "C#": "csharp, cs, c sharp, c-sharp",
    "C++": "cpp, cxx, cc, hpp, c plus plus, cplusplus, c++11, c++14, c++17, c++20",
    "CDS": "",
    "Clojure": "clj, cljs, clojurescript, edn",
    "CMake": "",
    "COBOL": "cob, cbl",
    "CoffeeScript": "coffee",
    "Common Lisp": "commonlisp, lisp",
    "Coq": "",
    "Crystal": "",
    "CSS": "css3, tailwind, tailwindcss",
    "CSV": "",
    "CUDA": "cu, cuda c, cuda c++",
    "Cypher": "",
    "D": "dlang",
    "Dart": "flutter",
    "DAX": "",
    "Delphi": "object pascal",
    "Diff": "patch",
    "Dockerfile": "docker",
    "Elixir": "ex, exs",
    "Elm": "",
    "Emacs Lisp": "elisp, emacs-lisp",
    "Erlang": "erl",
    "Excel": "excel formula, xlsx",
    "F#": "fsharp, fs, f sharp",
    "Fortran": "f90, f95, fortran90",
    "GAMS": "",
    "GDScript": "gd, gdscript3",
    "GLSL": "",
    "Go": "golang",
    "Google Apps Script": "apps script, appsscript, google-apps-script",
    "Gradle": "",
    "GraphQL": "gql",
    "Groovy": "jenkinsfile",
    "Haskell": "hs",
    "HCL": "terraform, tf",
    "HLSL": "",
    "HTML": "html5, htm, xhtml",
    "HTTP": "",
    "INI": "cfg, conf, properties",
    "Java": "jsp",
    "JavaScript": "js, node, node.js, nodejs, jsx, mjs, cjs, ecmascript, es6, jquery, java script, reactjs, react",
    "JSON": "jsonc, json5, jsonl",
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
    "Objective-C": "objc, objectivec, objective c, obj-c",
    "OCaml": "",
    "Octave": "gnu octave",
    "OpenSCAD": "scad",
    "Pascal": "pas, free pascal, freepascal",
    "Perl": "pl",
    "PHP": "php7, php8, laravel",
    "Pine Script": "pinescript, pine, pine-script",
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
    "R": "rscript, r language, rlang",
    "Racket": "rkt",
    "Regex": "regexp, regular expression, regular expressions",
    "Ruby": "rb, ruby on rails, rails",
    "Rust": "rs",
    "SAS": "",
    "Scala": "sc",
    "Scheme": "scm",
    "Scratch": "",
    "SCSS": "sass",
    "Solidity": "sol",
    "SPARQL": "",
    "SPSS": "",
    "SQL": "mysql, postgresql, postgres, psql, sqlite, t-sql, tsql, mssql, pgsql, sql server, hiveql, mariadb",
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
    "Verilog": "verilog hdl",
    "VHDL": "vhd",
    "Vim script": "vim, viml, vimscript",
    "Visual Basic .NET": "vb.net, vbnet, vb .net, vb, visual basic, vb6",
    "Vue": "vue.js, vuejs",
    "WebAssembly": "wasm, wat",
    "XML": "xsd, xaml, wsdl, plist",
    "XSLT": "xsl",
    "YAML": "yml, docker-compose",
    "Zig": "",
}

NO_LANGUAGE = frozenset({"", "general", "none", "n/a", "na", "null", "not applicable", "no language"})

FENCE_TAGS: Mapping[str, str] = {
    spelling: name
    for name, others in _SPELLINGS.items()
    for spelling in (name.lower(), *filter(None, (other.strip() for other in others.split(","))))
}
"""Spelling in lower case -> canonical name; every key names exactly one language."""

_JOINTS = re.compile(r"\s*(?:/|,|&|;|\band\b)\s*")
_TAG = re.compile(r"[^\s{},:;=\"'()]+")


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
    low = written.lower()
    if low in NO_LANGUAGE:
        return ()
    if low in FENCE_TAGS:  # before splitting: "pl/sql" is one language
        return (FENCE_TAGS[low],)
    parts = [part for part in _JOINTS.split(low) if part]
    if len(parts) > 1 and all(part in FENCE_TAGS for part in parts):
        return tuple(FENCE_TAGS[part] for part in parts)
    return (written,)


def fence_language(tag: str) -> str | None:
    """Return the canonical language of a Markdown fence's info string, ``None`` where it names none that we know.

    >>> fence_language("py"), fence_language("js title='app.js'"), fence_language("{.cpp}"), fence_language("text")
    ('Python', 'JavaScript', 'C++', None)
    """
    low = tag.strip().lower()
    if low in FENCE_TAGS:
        return FENCE_TAGS[low]
    first = _TAG.search(low)
    if first is None:
        return None
    return FENCE_TAGS.get(first[0]) or FENCE_TAGS.get(first[0].lstrip("."))
