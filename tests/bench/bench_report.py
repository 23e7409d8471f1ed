"""What a report costs: to write it, to open it, to open a verdict in it; for 2 and for 40 models.

Run with ``python tests/bench/bench_report.py`` (``--help`` lists its options). Questions and answers are the 266 real
ones of Arena-Hard where they are at hand, repeated under new ids up to the number of prompts. Every model gives other
answers than the rest (those to other questions), and every reply is another text, so that nothing compresses better
than it would in earnest. The page is opened in a headless Chromium; no time is asserted.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

from many_runs import BASELINE, a_large_suite, an_answer  # noqa: E402

from codearena_plugin.judging.protocol.parse import read_verdict  # noqa: E402
from codearena_plugin.judging.settings import resolve_settings  # noqa: E402
from codearena_plugin.prompts.suite import Suite, fingerprint  # noqa: E402
from codearena_plugin.records import LABELS, ORDERS, Answer, Game, Message, Reply, Usage  # noqa: E402
from codearena_plugin.runs.files import save_answers, save_result  # noqa: E402
from codearena_plugin.runs.judge import manifest_of, sealed  # noqa: E402
from codearena_plugin.runs.result import make_result  # noqa: E402
from codearena_plugin.runs.strata import save_strata  # noqa: E402
from codearena_plugin.runs.style import save_style  # noqa: E402

REAL = ROOT.parent / "shared" / "data" / "arena_hard_code"
MODELS = ("gpt-4-0613", "gpt-3.5-turbo-0125")
REPLY_CHARACTERS = 1800
SIZES = ((2, 266), (40, 397))


def texts() -> tuple[list[str], list[str]]:
    """Return questions, and as many lists of answers as there are, one after the other."""
    if not REAL.is_dir():
        print("note: the real texts are not here; made-up ones take their place and compress better")
        random = Random(0)
        return [f"Question {i}: write program number {i}." for i in range(266)], [
            an_answer(random, i, 1.0) for i in range(532)
        ]
    names = ("prompts", *(f"answers_{model}" for model in MODELS))
    packed = {name: gzip.decompress((REAL / f"{name}.jsonl.gz").read_bytes()) for name in names}
    rows = {name: [json.loads(line) for line in lines.splitlines()] for name, lines in packed.items()}
    answers = [row["response"] for model in MODELS for row in rows[f"answers_{model}"]]
    return ["\n".join(m["content"] for m in row["messages"]) for row in rows["prompts"]], answers


def make_runs(root: Path, n_models: int, n_prompts: int) -> list[Path]:
    """Write the runs and their suite's file, and return their directories."""
    questions, answers = texts()
    made = a_large_suite(n_prompts)
    prompts = tuple(
        replace(
            prompt,
            messages=(Message("user", questions[i % len(questions)]),),
            baselines={BASELINE: answers[(3 * i + 1) % len(answers)]},
        )
        for i, prompt in enumerate(made.prompts)
    )
    lines = (
        {
            "id": prompt.id,
            "messages": [{"role": "user", "content": prompt.messages[0].content}],
            f"{BASELINE}_response": prompt.baselines[BASELINE],
            "programming_language": list(prompt.languages),
        }
        for prompt in prompts
    )
    file = root / "suite.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    suite = replace(made, name="codearena", prompts=prompts, fingerprint=fingerprint(prompts, BASELINE), file=str(file))
    return [make_run(root / f"model-{m:02}", suite, m, answers) for m in range(n_models)]


def make_run(directory: Path, suite: Suite, number: int, texts: list[str]) -> Path:
    """Write the run of one model."""
    random = Random(number)
    settings = resolve_settings({"judge_base_url": "http://127.0.0.1:9/v1", "judge_model": "simulated"}, environ={})
    model = f"model-{number:02}-instruct"
    answers = [
        Answer(prompt.id, model, texts[(i + 7 * number) % len(texts)], "stop") for i, prompt in enumerate(suite.prompts)
    ]
    games = []
    for prompt in suite.prompts:
        better = random.gauss(0.1 * (number - 20), 1.5)
        for order in ORDERS:
            seen = (better + random.gauss(0, 0.7)) * (1 if order == "baseline_first" else -1)
            label = LABELS[sum(seen > bound for bound in (-2, -0.5, 0.5, 2))]
            start = random.randrange(len(texts))
            words = "\n\n".join(texts[(start + k) % len(texts)] for k in range(4))
            reply = Reply(
                text=f"{words[:REPLY_CHARACTERS]}\nMy final verdict is: [[{label}]]",
                finish_reason="stop",
                usage=Usage(1500, 450),
                attempts=1,
            )
            key = f"{random.getrandbits(256):064x}"
            games.append(Game(prompt.id, order, (key,), (reply,), read_verdict((reply,), mode="default")))
    directory.mkdir()
    save_answers(directory, answers)
    manifest = sealed(manifest_of(suite, answers, settings, {}), games, directory)
    result = make_result(suite, games, manifest, policy="both", mode="default", min_coverage=0.9)
    save_result(directory, games, result)
    save_strata(directory, suite.prompts)
    save_style(directory, suite, answers)
    return directory


def write(runs: list[Path], page: Path, options: list[str]) -> dict[str, float]:
    """Write the report with the command itself, and return what it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    command = [sys.executable, "-m", "codearena_plugin", "report", *map(str, runs), "--output", str(page), *options]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": wall, "cpu_s": cpu, "MB": page.stat().st_size / 1e6}


def opened(page: Path) -> dict[str, float]:
    """Open the page in Chromium, and return when what is there, in milliseconds from the start of the navigation."""
    from playwright.sync_api import sync_playwright

    executable = os.environ.get("CODEARENA_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1280, "height": 900})
        tab.goto(page.as_uri(), wait_until="commit")
        tab.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
        ready = tab.evaluate("performance.now()")
        tab.wait_for_load_state("load", timeout=120_000)
        paint = tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        loaded = tab.evaluate("performance.timing.loadEventEnd - performance.timing.navigationStart")
        first = tab.evaluate(_OPEN, 5)
        others = sorted(tab.evaluate(_OPEN, n) for n in (20, 60, 100, 140, 180))
        filtered = tab.evaluate(_FILTER)
        memory = tab.evaluate("performance.memory ? performance.memory.usedJSHeapSize / 1e6 : 0")
        browser.close()
    return {
        "paint_ms": paint,
        "ready_ms": ready,
        "loaded_ms": loaded,
        "first_verdict_ms": first,
        "verdict_ms": others[len(others) // 2],
        "filter_ms": filtered,
        "heap_MB": memory,
    }


# Close, go to the n-th verdict, open it; until its texts are laid out.
_OPEN = """async (n) => {
  document.getElementById("verdict").close();
  const list = document.getElementById("list");
  list.focus();
  list.scrollTop = n * 42;
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  const row = document.getElementById(`v-${n}`);
  document.getElementById("verdict-body").replaceChildren();
  const began = performance.now();
  row.click();
  while (!document.querySelector("#verdict-body .text")) await new Promise((done) => setTimeout(done, 1));
  document.getElementById("verdict-body").getBoundingClientRect();
  return performance.now() - began;
}"""
_FILTER = """() => {
  document.getElementById("verdict").close();
  const select = document.getElementById("by-outcome");
  select.value = "loss";
  const began = performance.now();
  select.dispatchEvent(new Event("change"));
  document.getElementById("list").getBoundingClientRect();
  return performance.now() - began;
}"""


def main() -> None:
    """Print a row for each size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--sizes", nargs="*", default=[f"{m}x{p}" for m, p in SIZES], help="MODELSxPROMPTS …")
    parser.add_argument("--keep", type=Path, help="keep runs and pages in this new directory")
    parser.add_argument("--rounds", type=int, default=3, help="pages are opened so often; medians are shown")
    chosen = parser.parse_args()
    columns = (
        "wall_s",
        "cpu_s",
        "MB",
        "paint_ms",
        "ready_ms",
        "loaded_ms",
        "first_verdict_ms",
        "verdict_ms",
        "filter_ms",
        "heap_MB",
    )
    print(f"{os.cpu_count()} cores")
    print(f"| models × games | {' | '.join(columns)} |\n|---|{'--:|' * len(columns)}")
    for size in chosen.sizes:
        n_models, n_prompts = map(int, size.split("x"))
        with tempfile.TemporaryDirectory() as temporary:
            root = (chosen.keep / size) if chosen.keep else Path(temporary)
            root.mkdir(parents=True, exist_ok=True)
            found = write(make_runs(root, n_models, n_prompts), root / "report.html", [])
            rounds = [opened(root / "report.html") for _ in range(chosen.rounds)]
        found |= {name: sorted(one[name] for one in rounds)[len(rounds) // 2] for name in rounds[0]}
        shown = (
            f"{found[name]:.2f}" if name in {"wall_s", "cpu_s", "MB"} else f"{found[name]:.0f}" for name in columns
        )
        print(f"| {n_models} × {2 * n_prompts} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    main()
