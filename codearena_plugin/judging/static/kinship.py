"""What this judge adds to the table of languages: which of them are kin, and what is no code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from codearena_plugin.languages import canonical_languages

NOT_CODE = frozenset(
    ("", "text", "txt", "plaintext", "plain", "output", "log", "markdown", "md", "diff", "csv", "tsv", "math", "none")
)
"""Tags of blocks that hold something else than code, as a fence carries them."""

# A regular expression may come in any language's clothes; the others are texts.
_UNTAGGED = frozenset(("Regex", "Markdown", "Diff", "CSV"))

# Fences hardly tell these apart: "vb" stands over VBA, "sql" over PL/SQL, "javascript" over Apps Script.
_DIALECTS = (
    frozenset(("VBA", "Visual Basic .NET", "VBScript", "BASIC", "Excel")),
    frozenset(("SQL", "PL/SQL", "PL/pgSQL")),
    frozenset(("JavaScript", "Google Apps Script")),
    frozenset(("MQL4", "MQL5")),
    frozenset(("Verilog", "SystemVerilog")),
    frozenset(("MATLAB", "Octave")),
    frozenset(("Pascal", "Delphi")),
    frozenset(("XML", "SVG", "XSLT")),
    frozenset(("CSS", "Bootstrap")),
    frozenset(("SCSS", "Less")),
    frozenset(("Groovy", "Gradle")),
)
# A block in a sister language is nearly what was asked for: HTML that carries the script, C++ for C.
_FAMILIES = (
    frozenset(("C", "C++", "Arduino", "CUDA", "MQL4", "MQL5", "Objective-C")),
    frozenset(("JavaScript", "TypeScript", "HTML", "CSS", "Bootstrap", "SCSS", "Less", "Vue", "Svelte")),
    frozenset(("Scheme", "Racket", "Common Lisp", "Emacs Lisp", "AutoLISP")),
    frozenset(("HTML", "XML", "PHP", "JSP", "SVG")),
    frozenset(("Bash", "AWK", "Batch", "PowerShell")),
    frozenset(("Lua", "Luau")),
    frozenset(("Java", "Kotlin", "Groovy", "Gradle", "XML", "JSP")),
    frozenset(("GLSL", "HLSL", "Metal")),
)
SAME, SISTER, FOREIGN = 1.0, 0.75, 0.0


def wanted_languages(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the canonical names of a suite's labels by which a block can be told to be the right one.

    >>> wanted_languages(["c/c++", "apps script", "regex", "general"])
    ('C', 'C++', 'Google Apps Script')
    """
    return tuple(name for name in canonical_languages(labels) if name not in _UNTAGGED)


def tagged_language(tag: str) -> str | None:
    """Return the one language that a block's tag names; ``None`` for a text, no tag, or several languages.

    >>> tagged_language("py"), tagged_language("output"), tagged_language("html/css"), tagged_language("befunge")
    ('Python', None, None, 'befunge')
    """
    names = wanted_languages([tag])
    return names[0] if len(names) == 1 and tag not in NOT_CODE else None


def kinship(name: str, wanted: Iterable[str]) -> float:
    """Return how near a language is to the nearest wanted one: 1 the same or a dialect, 0.75 a sister, 0 foreign.

    >>> kinship("SQL", ["PL/SQL"]), kinship("C++", ["C"]), kinship("Go", ["C", "befunge"]), kinship("x1", ["X1"])
    (1.0, 0.75, 0.0, 1.0)
    """
    best = FOREIGN
    for other in wanted:
        if other.lower() == name.lower() or _share_one(_DIALECTS, name, other):
            return SAME
        if _share_one(_FAMILIES, name, other):
            best = SISTER
    return best


def _share_one(groups: Iterable[frozenset[str]], name: str, other: str) -> bool:
    return any(name in group and other in group for group in groups)
