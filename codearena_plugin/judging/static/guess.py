"""Guess the language of a code block that carries no tag: a few telling marks, or no guess."""

from __future__ import annotations

import re

_READ = 4_000
# Each pattern is anchored to a line and bounded, so that no text makes it slow.
_MARKS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.MULTILINE))
    for name, pattern in (
        ("Python", r"^ {0,40}(?:def \w{1,60}\(|class \w{1,60}(?:\(|:)|from [\w.]{1,60} import |elif |>>> )"),
        ("Python", r"^import [\w.]{1,60}(?: as \w{1,60})?$"),
        ("C", r"^#include <(?:stdio|stdlib|string|stdint|unistd)\.h>"),
        ("C++", r"^(?:#include <(?:iostream|vector|string|algorithm|map|memory)>|using namespace \w)"),
        ("Java", r"^ {0,40}(?:import java\.|public (?:static |final )?(?:class|void|int) \w)"),
        ("C#", r"^(?:using System|namespace [\w.]{1,60}$)"),
        ("JavaScript", r"^ {0,40}(?:const|let|var) \w{1,60} = |^(?:async )?function \w{1,60}\(|^ {0,40}console\.log\("),
        ("Go", r"^(?:package main$|func \w{1,60}\()|^ {0,40}\w{1,60} := "),
        ("Rust", r"^ {0,40}(?:pub )?fn \w{1,60}[(<]|^ {0,40}let mut |^use std::"),
        ("PHP", r"^<\?php"),
        ("HTML", r"^(?:<!DOCTYPE html|<html|<head>|<body>)"),
        ("SQL", r"^(?:SELECT [^\n]{1,200}$|CREATE TABLE |INSERT INTO |UPDATE \w{1,60} SET )"),
        ("Bash", r"^(?:#!/bin/(?:ba)?sh|#!/usr/bin/env bash|sudo |apt-get |chmod |export \w{1,60}=)"),
        ("JSON", r"\A\s{0,20}\{\s{0,40}\"[^\"\n]{1,80}\"\s{0,4}:"),
    )
)


def guess(code: str) -> str | None:
    r"""Return the canonical language name that most marks point to, ``None`` without marks or with two winners.

    >>> guess("#include <stdio.h>\nint main(void) { return 0; }"), guess("1 2 3")
    ('C', None)
    """
    head = code[:_READ]
    votes: dict[str, int] = {}
    for name, pattern in _MARKS:
        hits = sum(1 for _ in pattern.finditer(head))
        if hits:
            votes[name] = votes.get(name, 0) + hits
    ranked = sorted(votes.items(), key=lambda item: (-item[1], item[0]))
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]
