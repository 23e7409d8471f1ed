"""What a piece of code in another language than Python is, by marks that a program, or a definition, carries.

Data and a few regular expressions, each anchored to a line: a hint about what it makes sense to try. A wrong guess
costs evidence and never a point, for a fragment that cannot be tried counts for nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from codearena_plugin.evidence.record import Kind


def _marks(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


# where a program of a compiled language begins
_ENTRY: Mapping[str, re.Pattern[str]] = {
    "C": _marks(r"^[\w \t]{0,40}\bmain[ \t]*\("),
    "C++": _marks(r"^[\w \t]{0,40}\bmain[ \t]*\("),
    "C#": _marks(r"\bstatic[ \t]+(?:async[ \t]+)?(?:void|int|Task|Task<int>)[ \t]+Main[ \t]*\("),
    "Go": _marks(r"^func main\(\)"),
    "Haskell": _marks(r"^main[ \t]*(?:::|=)"),
    "Java": _marks(r"\bstatic[ \t]+(?:final[ \t]+)?void[ \t]+main[ \t]*\("),
    "Kotlin": _marks(r"^fun main\("),
    "Rust": _marks(r"^[ \t]{0,8}(?:pub )?(?:async )?fn main\(\)"),
    "Verilog": _marks(r"^[ \t]{0,8}initial\b"),
    "SystemVerilog": _marks(r"^[ \t]{0,8}initial\b"),
}
# what at least one line of such code must look like for it to stand by itself; anything else is a fragment
_STANDS: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(
        ("C", "C++"),
        _marks(r"^(?:#include|typedef|struct|class|enum|union|template|namespace|(?:[\w:<>,*&]+[ \t]+)+[\w:*&]+\()"),
    ),
    **dict.fromkeys(("C#", "Java"), _marks(r"^[ \t]{0,8}(?:[a-z]+[ \t]+)*(?:class|interface|enum|record|struct) \w")),
    "Go": _marks(r"^package \w"),
    "Haskell": _marks(r"^(?:module |import |data |newtype |[a-z]\w*[ \t]*::)"),
    "Kotlin": _marks(r"^(?:[a-z]+ )*(?:fun|class|object|interface) "),
    "Rust": _marks(r"^(?:pub(?:\(\w+\))? )?(?:fn|struct|enum|impl|trait|mod|use|const|static|type|async)\b"),
    **dict.fromkeys(("Verilog", "SystemVerilog"), _marks(r"^[ \t]{0,8}(?:module|interface|package)\b")),
}
# lines at the left margin of a script that define, and do nothing
_DEFINES: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(
        ("JavaScript", "TypeScript"),
        re.compile(
            r"(?:export |default |async |declare |abstract )*(?:function|class|interface|type|enum|namespace)\b|"
            r"import\b|export (?:\{|default\b)|(?:export )?(?:const|let|var) [^(]*$|"
            r"(?:const|let|var) [\w{\[][^=]{0,80}=[^(]*(?:\([^()]*\)|\w+)\s*(?::[^=]+)?=>|"
            r"(?:export )?(?:const|let|var) [\w{}, \[\]]{1,80}=\s*(?:require\(|\(?async\b|function\b)|"
            r"module\.exports|exports\.|['\"]use strict"
        ),
    ),
    "PHP": re.compile(
        r"<\?(?:php)?$|<\?php|\?>|(?:abstract |final )*(?:function|class|interface|trait|enum)\b|use |namespace |"
        r"declare\(|require|include"
    ),
    "Ruby": re.compile(r"def |class |module |end\b|require|attr_|[A-Z]\w* = "),
    "Perl": re.compile(r"sub |use |package |1;|no |__END__"),
    "Lua": re.compile(
        r"(?:local )?function\b|end\b|return \w+$|local \w+ = (?:\{\}|require)|[\w.:]+ = function|"
        r"[\w.]+\.__index = \w+$"
    ),
    "R": re.compile(r"[\w.]+ *(?:<-|=) *function\b|library\(|require\("),
}
_CONFIG = frozenset(
    ("json", "yaml", "toml", "ini", "xml", "dockerfile", "nginx", "apache", "hcl", "makefile", "cmake", "gradle", "nix")
)
_BY_NAME: Mapping[str, Kind] = {
    **dict.fromkeys(("Markdown", "CSV", "Regex", "Mermaid", "PlantUML", "HTTP"), "text"),
    **dict.fromkeys(("Batch", "PowerShell"), "shell"),
    "Diff": "patch",
}
_MEMBER = re.compile(
    r"\s*(?:@\w+\s+)?(?:public|protected|private)\s+(?:static\s+|async\s+)*"
    r"(?:function\b|(?!class|interface|enum)\w+\(|(?:\?\w+ )?\$\w)"
)
_LEFT_OUT = _marks(
    r"^[ \t]*(?:\.\.\.|…|(?:#|//|--|;|%) ?\.\.\.(?: ?[\w ']{0,60}\.\.\.)?|/\* ?\.\.\. ?\*/|<!-- ?\.\.\. ?-->)[ \t]*$|"
    r"^[ \t]*(?:#|//|--|/\*|<!--) ?(?:\.\.\. ?)?"
    r"(?i:your (?:code|logic)|rest of|(?:the |your )?existing (?:\w+ )?code|remaining code)\b"
)
_LINE = 200  # characters of a line that are read
_COMMENT = re.compile(r"[ \t]*(?:#|//|/\*|\*|--|;|%|<!--|=begin|=end|\})")
_CREATES = _marks(
    r"(?i)^[ \t]{0,8}create[ \t]+(?:temp(?:orary)?[ \t]+)?table\b|^[ \t]{0,8}with\b|^[ \t]{0,8}select [^\n]*\d"
)
_FROM = _marks(r"(?i)\b(?:from|join|update|into)[ \t\n]+[\w\"`\[]")
_BROWSER = _marks(
    r"\b(?:document|window|localStorage|sessionStorage|navigator)\s*\.|\balert\(|\baddEventListener\(|"
    r"\$\((?:document|['\"])|\bjQuery\(|\brequestAnimationFrame\("
)


def is_left_out(code: str) -> bool:
    """Return whether code says that parts of it were left out: ``# ...``, ``// your code here``."""
    return _LEFT_OUT.search(code) is not None


def wants_browser(code: str) -> bool:
    """Return whether JavaScript speaks to a page."""
    return _BROWSER.search(code) is not None


def shape(language: str, code: str) -> Kind:
    r"""Return what a piece of code is, by its canonical language (not for Python, Bash, HTML and CSS).

    >>> [shape("C", code) for code in ("int main(void) { return 0; }", "int twice(int x) { return 2 * x; }", "x++;")]
    ['program', 'function', 'snippet']
    >>> shape("JavaScript", "const f = (x) => x;"), shape("JavaScript", "function f() {\n}\nf();")
    ('function', 'program')
    """
    if language in _BY_NAME:
        return _BY_NAME[language]
    is_inside = language == "JSON" and code.lstrip()[:1] not in {"{", "["}
    if is_inside or is_left_out(code) or _MEMBER.match(code):
        return "snippet"
    return "config" if language.lower() in _CONFIG else _shape_of_code(language, code)


def _shape_of_code(language: str, code: str) -> Kind:
    if language == "SQL":
        return "program" if _CREATES.search(code) or not _FROM.search(code) else "snippet"
    if language in _ENTRY:
        if _ENTRY[language].search(code):
            return "program"
        return "function" if _STANDS[language].search(code) else "snippet"
    if language in _DEFINES:
        lines = (line[:_LINE] for line in code.split("\n") if line.strip() and line[0] not in " \t")
        margin = (line for line in lines if not _COMMENT.match(line))
        acts = [line for line in margin if line.strip(" \t{)];,") and not _DEFINES[language].match(line)]
        return "program" if acts else "function"
    return "program"
