"""Which language a fence tag or a suite's language name means, and which grammar reads it.

A table of our own: ``prompts`` has one too, for a different purpose, and the two rooms do not know each other.
"""

from __future__ import annotations

from collections.abc import Iterable

# canonical name | other names and fence tags, in lower case, hyphens for spaces | tree-sitter grammar ("-": none or
# none worth asking); a name may have several rows
_TABLE = """
Ada | | ada
Apex | | apex
Arduino | ino | arduino
Assembly | asm assembler nasm gas masm armasm x86asm x86-assembly arm-assembly mips s | -
AutoHotkey | ahk auto-hotkey | -
AutoIt | au3 | -
AutoLISP | lsp visual-lisp | -
AWK | gawk | -
Bash | sh shell zsh ksh shellscript shell-script shell-session console terminal bash-session | bash
Batch | bat cmd dos batchfile | -
C | h c51 c99 c11 c-language | c
C# | csharp cs c-sharp dotnet .net | csharp
C++ | cpp cxx cc hpp cplusplus c/c++ qt | cpp
Clojure | clj | clojure
CMake | | cmake
COBOL | | -
Common Lisp | lisp commonlisp cl | commonlisp
CSS | css3 less bootstrap tailwind tailwindcss | css
CUDA | cu | cuda
D | dlang | d
Dart | flutter | dart
Dockerfile | docker containerfile dockerfile.dev | dockerfile
Elixir | ex exs | elixir
Emacs Lisp | elisp emacs-lisp | elisp
Erlang | erl | erlang
F# | fsharp fs f-sharp | fsharp
Fortran | f90 f95 fortran90 | fortran
GDScript | gd godot | gdscript
GLSL | | glsl
Go | golang | go
GraphQL | gql | graphql
Groovy | gradle jenkinsfile | groovy
Haskell | hs | haskell
HCL | terraform tf | hcl
HLSL | | hlsl
HTML | html5 htm xhtml html/css | html
Java | | java
JavaScript | js javascript node nodejs node.js jsx mjs | javascript
JavaScript | cjs react reactjs es6 jquery ecmascript appsscript google-apps-script | javascript
JSON | jsonc json5 jsonl ndjson geojson | json
Julia | jl | julia
Kotlin | kt kts | kotlin
LaTeX | tex | -
Lua | | lua
Luau | roblox | luau
Make | makefile mk | make
MATLAB | octave | matlab
Metal | | -
MQL | mq4 mql4 mql5 mq5 | -
Nim | | nim
Nix | | nix
Objective-C | objc objectivec objective-c obj-c objectivec | objc
OCaml | ml | ocaml
Pascal | pas delphi object-pascal objectpascal free-pascal | pascal
Perl | pl | perl
PHP | php7 php8 laravel | php
Pine Script | pine pinescript | -
PowerShell | ps ps1 pwsh posh power-shell | powershell
Prolog | | -
Protocol Buffers | proto protobuf | proto
Python | py python3 python2 py3 python-3 ipython pycon jupyter pyspark pandas numpy django | python
R | rlang rscript rmd | r
Racket | rkt | racket
Ruby | rb rails | ruby
Rust | rs | rust
SAS | | -
Scala | sbt | scala
Scheme | scm | scheme
SCSS | sass less | scss
Solidity | sol | solidity
SQL | mysql mariadb postgresql postgres psql pgsql pl/pgsql plpgsql | sql
SQL | pl/sql plsql sqlite tsql t-sql mssql sql-server hiveql bigquery | sql
Svelte | | -
Swift | swiftui | swift
Tcl | | tcl
TOML | | toml
TypeScript | ts tsx mts angular | typescript
VBA | vb vbs vbscript vb.net vbnet vb6 basic qbasic visual-basic visual-basic-.net excel excel-vba | -
Verilog | systemverilog system-verilog sv v | verilog
VHDL | vhd | vhdl
Vim script | vim viml vimscript | vim
Vue | vue.js vuejs | -
XML | svg xaml xsd xsl xslt plist rss kml wsdl | xml
YAML | yml | yaml
Zig | | zig
"""

NOT_CODE = frozenset(
    ("", "text", "txt", "plaintext", "plain", "output", "log", "markdown", "md", "diff", "csv", "tsv", "math", "none")
)
# A regular expression may come in any language's clothes.
_NOT_LANGUAGES = frozenset(("general", "other", "others", "any", "n/a", "unknown", "regex", "regexp")) | NOT_CODE

# A block in a sister language is nearly what was asked for: HTML that carries the script, C++ for C.
_FAMILIES = (
    frozenset(("C", "C++", "Arduino", "CUDA", "MQL", "Objective-C")),
    frozenset(("JavaScript", "TypeScript", "HTML", "CSS", "SCSS", "Vue", "Svelte")),
    frozenset(("Scheme", "Racket", "Common Lisp", "Emacs Lisp", "AutoLISP")),
    frozenset(("HTML", "XML", "PHP")),
    frozenset(("Bash", "AWK", "Batch", "PowerShell")),
    frozenset(("Lua", "Luau")),
    frozenset(("Java", "Kotlin", "Groovy", "XML")),
    frozenset(("GLSL", "HLSL", "Metal")),
)
SAME, SISTER, FOREIGN = 1.0, 0.75, 0.0


def _read_table() -> tuple[dict[str, str], dict[str, str]]:
    names: dict[str, str] = {}
    grammars: dict[str, str] = {}
    for row in _TABLE.strip().splitlines():
        name, aliases, grammar = (cell.strip() for cell in row.split("|"))
        for alias in (_key(name), *aliases.split()):
            names[alias] = name
        if grammar != "-":
            grammars[name] = grammar
    return names, grammars


def _key(name: str) -> str:
    return "-".join(name.lower().split())


_NAMES, _GRAMMARS = _read_table()


def canonical(name: str) -> str | None:
    """Return the one name of a language for a tag or alias; ``None`` where no language is named.

    A name that the table lacks comes back as it is, in lower case, so that it still equals itself.

    >>> [canonical(name) for name in ("py", "C++", "GAMS", "output", "general")]
    ['Python', 'C++', 'gams', None, None]
    """
    key = _key(name)
    if key in _NOT_LANGUAGES:
        return None
    return _NAMES.get(key, key)


def grammar(name: str) -> str | None:
    """Return the tree-sitter grammar of a canonical language name."""
    return _GRAMMARS.get(name)


def kinship(name: str, wanted: Iterable[str]) -> float:
    """Return how near a language is to the nearest wanted one: 1 the same, 0.75 a sister, 0 foreign."""
    best = FOREIGN
    for other in wanted:
        if other == name:
            return SAME
        if any(name in family and other in family for family in _FAMILIES):
            best = SISTER
    return best
