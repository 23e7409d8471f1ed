"""Which tree-sitter grammar reads which language."""

from __future__ import annotations

from collections.abc import Mapping

# tree-sitter grammars of languages whose name, in lower case, is not the grammar's. A language that is neither here nor
# there has none, or none worth asking.
_OTHER_GRAMMARS: Mapping[str, str] = {
    "C#": "csharp",
    "C++": "cpp",
    "Common Lisp": "commonlisp",
    "Delphi": "pascal",
    "Emacs Lisp": "elisp",
    "F#": "fsharp",
    "Google Apps Script": "javascript",
    "Gradle": "groovy",
    "Less": "scss",
    "Makefile": "make",
    "Objective-C": "objc",
    "Octave": "matlab",
    "PL/pgSQL": "sql",
    "PL/SQL": "sql",
    "Protocol Buffers": "proto",
    "SystemVerilog": "verilog",
    "Vim script": "vim",
}
_SAME_NAME = """
ada apex arduino bash c clojure cmake css cuda d dart dockerfile elixir erlang fortran gdscript glsl go graphql groovy
haskell hcl hlsl java javascript julia kotlin lua luau matlab nim nix ocaml pascal perl php powershell python r
racket ruby rust scala scheme scss solidity sql swift tcl typescript verilog vhdl yaml zig
"""
GRAMMARS = frozenset((*_OTHER_GRAMMARS.values(), *_SAME_NAME.split()))


def grammar(name: str) -> str | None:
    """Return the tree-sitter grammar of a canonical language name.

    >>> grammar("Rust"), grammar("C#"), grammar("AutoHotkey")
    ('rust', 'csharp', None)
    """
    found = _OTHER_GRAMMARS.get(name, name.lower())
    return found if found in GRAMMARS else None
