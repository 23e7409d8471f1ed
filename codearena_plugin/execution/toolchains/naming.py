"""What the file of a program must be called, and what its main class is: Java ties both to the code."""

from __future__ import annotations

import re

from codearena_plugin.execution.toolchains.record import Toolchain

# Comments and literals first, so that a brace inside one is none; what does not end takes the rest, in linear time.
_JAVA = re.compile(
    r"//[^\n]*|/\*(?:[\s\S]*?\*/|[\s\S]*)|\"\"\"(?:[\s\S]*?\"\"\"|[\s\S]*)|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    r"|(?P<brace>[{}])"
    r"|(?P<public>\bpublic\s+)?(?:(?:final|abstract|sealed|strictfp|static)\s+)*"
    r"\b(?:class|interface|enum|record)\s+(?P<type>[A-Za-z_$][\w$]{0,200})"
    r"|(?P<main>\bstatic\s+[\w\s]{0,20}?\bvoid\s+main\s*\()"
)
_PACKAGE = re.compile(r"(?m)^\s{0,20}package\s+([\w.]{1,200})\s*;")


def file_name(row: Toolchain, code: str) -> str:
    """Return the name of the file that a program goes into.

    >>> from codearena_plugin.execution.toolchains.record import toolchain
    >>> file_name(toolchain("Java"), "public class A {}"), file_name(toolchain("js"), "import a from 'a'")
    ('A.java', 'main.mjs')
    """
    if row.language == "Java":
        public = java_types(code)[0]
        return f"{public}.java" if public else row.file
    return next((name for pattern, name in row.rename if pattern.search(code)), row.file)


def main_class(code: str) -> str:
    """Return the full name of the Java class to start: the first top-level one around a ``main``, else the first.

    >>> main_class("package a.b; class N { int x; } public class M { public static void main(String[] a) {} }")
    'a.b.M'
    """
    _, starts, first = java_types(code)
    package = _PACKAGE.search(code)
    name = starts or first or "Main"
    return f"{package[1]}.{name}" if package else name


def java_types(code: str) -> tuple[str, str, str]:
    """Return the names of the top-level public type, of the one with a ``main``, and of the first; "" for none."""
    depth, current = 0, ""
    public = starts = first = ""
    for token in _JAVA.finditer(code):
        if token["brace"]:
            depth += 1 if token["brace"] == "{" else -1
        elif token["type"] and depth == 0:
            current = token["type"]
            first = first or current
            public = public or (current if token["public"] else "")
        elif token["main"]:
            starts = starts or current
    return public, starts, first
