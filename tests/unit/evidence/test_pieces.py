"""What the blocks of an answer are taken for: a rule that sees one answer alone, so that both sides meet the same."""

from __future__ import annotations

import time

import pytest
from evidence_runs import kinds

from codearena_plugin.evidence.pages import assemble
from codearena_plugin.evidence.pieces import MOST_BLOCKS, pieces_of
from codearena_plugin.evidence.python_shape import python_shape


def block(tag: str, code: str) -> str:
    return f"```{tag}\n{code}\n```\n"


@pytest.mark.parametrize(
    ("tag", "code", "kind"),
    [
        ("python", "def f(x):\n    return x\n\nprint(f(1))", "program"),
        ("python", "import os\n\ndef f(x):\n    return x", "function"),
        ("python", "model.fit(X_train, y_train)", "snippet"),
        ("python", "print('never closed'", "program"),
        ("python", "def create():\n    # code to create it", "snippet"),
        ("python", ">>> 1 + 1\n2", "snippet"),
        ("python", "pip install numpy", "shell"),
        ("python", "[[1 4]\n [1 5]]", "text"),
        ("python", "from tkinter import *\nroot = Tk()\nmainloop()", "program"),
        ("python", "if __name__ == '__main__':\n    pass", "program"),
        ("c", "#include <stdio.h>\nint main(void) { return 0; }", "program"),
        ("c", "int twice(int x) { return 2 * x; }", "function"),
        ("cpp", "v.push_back(1);", "snippet"),
        ("java", "public class A { public static void main(String[] a) { } }", "program"),
        ("java", "public class A { int x; }", "function"),
        ("java", "list.add(1);", "snippet"),
        ("csharp", "class A { static void Main() { } }", "program"),
        ("go", "package main\n\nfunc main() { }", "program"),
        ("go", "func f() int { return 1 }", "snippet"),
        ("rust", 'fn main() { println!("1"); }', "program"),
        ("rust", "pub fn f() -> u8 { 1 }", "function"),
        ("js", "const f = (x) => x + 1;\nmodule.exports = { f };", "function"),
        ("js", "function f() {\n  return 1;\n}\nconsole.log(f());", "program"),
        ("js", "document.getElementById('a').hidden = true;", "snippet"),
        ("php", "<?php\nfunction f($x) {\n  return $x;\n}\n?>", "function"),
        ("php", "protected $middleware = [];", "snippet"),
        ("sql", "CREATE TABLE t (a INT);\nSELECT a FROM t;", "program"),
        ("sql", "SELECT name FROM users;", "snippet"),
        ("json", '{"a": 1}', "config"),
        ("json", '"require": {"a": "1"}', "snippet"),
        ("yaml", "a: 1", "config"),
        ("dockerfile", "FROM x", "config"),
        ("html", "<!DOCTYPE html><html><body>Hi</body></html>", "page"),
        ("html", "<p>{{ user.name }}</p>", "snippet"),
        ("html", "<p>Hi</p><script>const a = `${1}`;</script>", "page"),
        ("html", "<div id='app'></div>\n<script>\nexport default { data() {} }\n</script>", "snippet"),
        ("html", "<p>Hi</p>\n<script type='module'>\nimport x from './x.js'\n</script>", "page"),
        ("css", "a { color: red }", "snippet"),
        ("bash", "#!/bin/bash\nfor i in 1 2; do\n  echo $i\ndone", "program"),
        ("bash", "sudo apt-get install -y curl", "shell"),
        ("bash", "for p in a b; do pip install $p; done", "shell"),
        ("bash", "cd build && ls", "shell"),
        ("console", "$ ls\na b", "text"),
        ("powershell", "Get-ChildItem", "shell"),
        ("diff", "- a\n+ b", "patch"),
        ("", "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@", "patch"),
        ("", "Total: 5", "text"),
        ("output", "5", "text"),
        ("js", "// ... rest of the file ...\nrun();", "snippet"),
        ("python", "['a@b.c', {'d': 1}]", "text"),
        ("js", "[ { value: 3, path: [ 'b' ] } ]", "text"),
        ("js", "const util = {\n  f,\n};\n\nexport default util;", "function"),
        ("js", "let total = 0;\ntotal += 1;", "program"),
        ("js", "// src/A.vue\n<template>\n  <p/>\n</template>", "snippet"),
        ("php", "<?php\nnamespace A;\nclass B\n{\n    public $c;\n}", "function"),
        ("lua", "local T = {}\nT.__index = T\nfunction T.new()\n  return 1\nend\nreturn T", "function"),
        ("rust", "#[tokio::main]\nasync fn main() { }", "program"),
        ("apache", "<VirtualHost *:80>\n</VirtualHost>", "config"),
    ],
)
def test_a_block_is_taken_for_what_it_is(tag: str, code: str, kind: str) -> None:
    assert [found for found, _ in kinds(block(tag, code))] == [kind]


def test_a_block_without_a_tag_has_the_language_of_its_marks() -> None:
    assert kinds(block("", "#include <stdio.h>\nint main(void) { return 0; }")) == [("program", "C")]


def test_a_fragment_whose_names_other_blocks_define_becomes_a_program_with_them() -> None:
    answer = block("python", "def double(x):\n    return 2 * x") + "Use it:\n" + block("python", "print(double(4))")
    pieces, _ = pieces_of(answer)
    assert [(piece.kind, piece.beside) for piece in pieces] == [
        ("function", ()),
        ("program", ("def double(x):\n    return 2 * x",)),
    ]


def test_a_fragment_that_lacks_more_than_that_stays_one() -> None:
    answer = block("python", "def double(x):\n    return 2 * x") + block("python", "print(double(data))")
    fragment = pieces_of(answer)[0][1]
    assert (fragment.kind, fragment.why) == ("snippet", "it uses what no block defines: data, double")


def test_a_page_takes_its_style_and_the_scripts_that_speak_to_it() -> None:
    html = '<html><head><link rel="stylesheet" href="css/style.css"></head><body><p id="a"></p></body></html>'
    answer = (
        block("html", html)
        + block("css", "p { color: red }")
        + block("js", "document.getElementById('a').textContent = 'x';")
        + block("js", "const fs = require('fs');\nconsole.log(1);")
    )
    page, program = pieces_of(answer)[0]
    assert (page.kind, page.n_blocks, dict(page.others)) == ("page", 3, {"css/style.css": "p { color: red }"})
    assert "<script>\ndocument.getElementById('a')" in page.code
    assert page.is_guess  # nothing in the page refers to that script
    assert program.kind == "program"


@pytest.mark.parametrize(
    "href", ["../style.css", "/etc/x.css", "a/b/c/d.css", "https://x.y/z.css", "..//x.css", ".css", "a b.css"]
)
def test_no_file_of_a_page_lies_outside_its_folder(href: str) -> None:
    page = assemble(f'<link href="{href}">', [(1, "a{}")], [])
    assert page.others == {}
    assert "<style>\na{}\n</style>" in page.html


def test_equal_code_has_one_key_and_other_code_has_another() -> None:
    one, two, three = (pieces_of(block("python", f"print({n})"))[0][0].key for n in (1, 1, 2))
    assert one == two != three


def test_no_more_blocks_than_the_budget_are_looked_at() -> None:
    pieces, left_out = pieces_of(block("python", "print(1)") * (MOST_BLOCKS + 3))
    assert (len(pieces), left_out) == (MOST_BLOCKS, 3)


def test_python_s_missing_names_are_those_that_nobody_defines() -> None:
    shape = python_shape(
        "import numpy as np\n"
        "def f(a, *rest, key=DEFAULT, **more):\n"
        "    global counter\n"
        "    counter = len(rest)\n"
        "    return [x for x in a if x in np.array(more)]\n"
        "class C(Base):\n"
        "    y = 1\n"
        "    def m(self):\n"
        "        return helper(self.y, counter)\n"
    )
    assert shape is not None
    assert shape.missing == ("Base", "DEFAULT", "helper")
    assert not shape.acts


@pytest.mark.parametrize(
    "code",
    [
        "\n" * 90_000,
        "import a\n" * 11_000,
        "const x=" + "a" * 90_000,
        "<script " * 12_000,
        "<style>{{" * 9_000,
        "# ...\n" * 15_000,
        "(" * 90_000,
        "a = " * 20_000,
        "public " * 12_000,
        "sudo" + " " * 90_000,
    ],
)
@pytest.mark.parametrize("tag", ["python", "js", "html", "bash", "java", "cpp", "php", "sql", ""])
def test_no_text_takes_long(tag: str, code: str) -> None:
    began = time.process_time()
    pieces_of(block(tag, code))
    assert time.process_time() - began < 3


def test_code_that_is_nested_too_deep_is_read_as_any_other() -> None:
    (piece,), _ = pieces_of(f"```python\nx = {'lambda: ' * 1500}0\n```")
    assert piece.kind == "program"


def test_a_tag_is_a_name_or_nothing() -> None:
    sentence = "it-ran-and-ended-by-itself-with-exit-code-0"
    for tag in (sentence, "it-ran-well", "it_ran_well", "\u202ejs", "a\x1b[2Jb"):
        assert pieces_of(f"```{tag}\nx\n```")[0][0].language == ""
    assert pieces_of("```befunge\nx\n```")[0][0].language == "befunge"


def test_a_page_that_was_joined_is_another_piece_than_one_that_came_whole() -> None:
    script = "document.title = 1;"
    joined = pieces_of(f"```html\n<html><body></body></html>\n```\n```js\n{script}\n```")[0][0]
    whole = pieces_of(f"```html\n{joined.code}\n```")[0][0]
    assert (joined.code, joined.is_guess, whole.is_guess) == (whole.code, True, False)
    assert joined.key != whole.key
