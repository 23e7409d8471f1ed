"""Runs in which everything that can be text is hostile: questions, answers, replies, reasons, ids, names, languages.

Every payload that could run says so in ``window.__pwned``, and every address leads to a port where nobody listens.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

from codearena_plugin.judging.settings import resolve_settings
from codearena_plugin.prompts.suite import Suite, SuiteOptions, load_suite
from codearena_plugin.records import LABELS, ORDERS, Answer, CallError, Game, Reply, Usage, Verdict
from codearena_plugin.runs.files import save_answers, save_result
from codearena_plugin.runs.judge import manifest_of, sealed
from codearena_plugin.runs.result import make_result
from codearena_plugin.runs.strata import save_strata
from codearena_plugin.runs.style import save_style

NOWHERE = "http://127.0.0.1:9"
RUNS_SCRIPT = [
    "<script>window.__pwned = 1</script>",
    "</script><script>window.__pwned = 1</script>",
    '</script></template></textarea></style></title><img src=x onerror="window.__pwned = 1">',
    "<img src=x onerror=\"window.__pwned = 1; alert('img')\">",
    "<svg onload='window.__pwned = 1'><script>window.__pwned = 1</script><animate onbegin='window.__pwned=1' dur=1s>",
    f"[go](javascript:window.__pwned=1) [data](data:text/html,<script>window.__pwned=1</script>) [out]({NOWHERE}/a)",
    f"![leak]({NOWHERE}/leak.png) ![svg](data:image/svg+xml,<svg/onload=window.__pwned=1>) <{NOWHERE}/auto>",
    f"<iframe srcdoc='<script>parent.__pwned=1</script>'></iframe><iframe src='{NOWHERE}/frame'></iframe>",
    f"<link rel=stylesheet href='{NOWHERE}/x.css'><meta http-equiv=refresh content='0;url={NOWHERE}/refresh'>",
    f"<base href='{NOWHERE}/'><form action='{NOWHERE}/'><input autofocus onfocus='window.__pwned=1'></form>",
    "<!-- <script>window.__pwned=1</script> --> <!--><script>window.__pwned=1</script><!--",
    "{{constructor.constructor('window.__pwned=1')()}} ${window.__pwned=1} <%= window.__pwned=1 %> {0.__class__} %(x)s",
    "<style>body { display: none } * { background: url(http://127.0.0.1:9/css) }</style>",
    '```html\n<script>window.__pwned=1</script>\n```\n\n```"><img/src=x/onerror=window.__pwned=1>\ncode\n```',
    "<details open ontoggle=window.__pwned=1><summary>x</summary></details><a href='javascript:window.__pwned=1'>x</a>",
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=window.__pwned=1&gt;">',
    "| a | b |\n|---|---|\n| <b onmouseover=window.__pwned=1>x</b> | `<img src=x onerror=window.__pwned=1>` |",
]
STRANGE = [
    "lone \ud800 and \udfff, NUL \x00, ESC \x1b[31m, bidi \u202e\u2066, nothing \u200b\ufeff, \u2028\u2029 \x85\x7f",
    "x" * 1_000_000,
    "> " * 3000 + "deep",
    "".join(f"{'  ' * depth}- item\n" for depth in range(300)),
    "|a" * 300 + "|\n" + "|-" * 300 + "|\n" + "b\n" * 3000,
    "```python\n" + "(" * 30_000 + "\n```",
    "\n" * 5000 + "end",
    "",
    "   ",
]
PAYLOADS = RUNS_SCRIPT + STRANGE
IDS = [
    *(
        "__proto__",
        "constructor",
        "toString",
        "index",
        "chunk-0",
        "verdict",
        "two  spaces",
        "two spaces",
        "\x00",
        "\u2400",
    ),
    *(
        "a&model=evil#prompt=%00",
        "../../etc/passwd",
        "id \u202e reversed",
        "\ud800",
        "<script>window.__pwned=1</script>",
    ),
    *(
        "</script><script>window.__pwned=1</script>",
        "<img src=x onerror=window.__pwned=1>",
        "'\"><svg onload=window.__pwned=1>",
    ),
    *("javascript:window.__pwned=1", "=HYPERLINK(1)", "$\\frac{1}{2}$", "一个问题"),
]
MODELS = [
    "__proto__",
    "</script><script>window.__pwned=1</script>",
    "$x^2$ <img src=x onerror=window.__pwned=1> \u202e 模型",
]
LANGUAGES = ["__proto__", "<img src=x onerror=window.__pwned=1>", "constructor", "Python"]
FAILURES = [
    Verdict("unparsable", None, "<script>window.__pwned=1</script>"),
    Verdict("transport-error", None, f"server said <iframe src={NOWHERE}/reason> \x1b[2J \ud800"),
    Verdict("refused", None, "=cmd|' /C calc'!A0"),
]


def write_hostile_runs(root: Path) -> list[Path]:
    """Write one run for every hostile model below ``root`` and return their directories."""
    suite = hostile_suite(root / "suite.jsonl")
    return [_write_run(root / f"run-{number}", suite, model, number) for number, model in enumerate(MODELS)]


def hostile_suite(file: Path) -> Suite:
    """Write a suite's file with a payload in every field and return the suite, read by the package itself."""
    payloads = itertools.cycle(PAYLOADS)
    lines = [
        json.dumps(
            {
                "id": prompt_id,
                "messages": [{"role": "user", "content": next(payloads)[:20_000] or "?"}],
                "programming_language": [LANGUAGES[number % len(LANGUAGES)]],
                "<b onclick=window.__pwned=1>base_response": next(payloads),
            }
        )
        for number, prompt_id in enumerate([*IDS, *(f"plain-{n}" for n in range(40))])
    ]
    file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return load_suite("codearena", SuiteOptions(data=str(file)))


def _write_run(directory: Path, suite: Suite, model: str, number: int) -> Path:
    settings = resolve_settings(
        {"judge_base_url": f"{NOWHERE}/v1", "judge_model": "<i>judge</i>", "judge_min_coverage": "0.5"}, environ={}
    )
    payloads = itertools.islice(itertools.cycle(PAYLOADS), number, None)
    answers = [Answer(prompt.id, model, next(payloads), "<b>stop</b>") for prompt in suite.prompts]
    games = list(_games(suite, payloads, number))
    directory.mkdir()
    save_answers(directory, answers)
    manifest = sealed(manifest_of(suite, answers, settings, {"note": PAYLOADS[1]}), games, directory)
    save_result(
        directory,
        games,
        make_result(suite, games, manifest, policy="both", mode="default", min_coverage=settings.min_coverage),
    )
    save_strata(directory, suite.prompts)
    save_style(directory, suite, answers)
    return directory


def _games(suite: Suite, payloads: Iterator[str], number: int) -> Iterator[Game]:
    for place, prompt in enumerate(suite.prompts):
        for order in ORDERS:
            failed = FAILURES[place // 5 % len(FAILURES)] if place % 5 == 4 and order == "answer_first" else None
            verdict = failed or Verdict("scored", LABELS[(place + number + (order == "answer_first")) % len(LABELS)])
            reply = Reply(
                text="" if failed else next(payloads),
                finish_reason="<u>stop</u>",
                usage=Usage(1, 1),
                attempts=1,
                error=CallError("server", next(payloads)[:3000]) if failed else None,
                served_model="</script><script>window.__pwned=1</script>",
            )
            yield Game(prompt.id, order, (f"{place:064x}",), (reply,), verdict)
