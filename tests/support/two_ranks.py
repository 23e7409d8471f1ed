"""One rank of two: evaluates the mini suite with a data-parallel model over gloo. Run by torchrun; rank 0 prints."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import lm_eval
from lm_eval.tasks import TaskManager
from ranks import Ranked

from codearena_plugin import paths
from codearena_plugin.evidence.files import read_evidence
from codearena_plugin.runs.files import load_run
from codearena_plugin.runs.style import style_of


class ParallelParrot(Ranked):
    def answer(self, request: Any) -> str:
        return "Here is code:\n```python\nprint(1)\n```"


def main() -> None:
    model = ParallelParrot()
    with_evidence = sys.argv[2:] == ["evidence"]
    judge = {"judge": "codearena", "judge_base_url": sys.argv[1]}
    manager = TaskManager(
        include_defaults=False,
        include_path=str(paths.data_dir("tasks")),
        metadata=judge | {"judge": "codearena-evidence", "codearena_execute": True} if with_evidence else judge,
    )
    results = lm_eval.simple_evaluate(
        model,
        tasks=["codearena_mini"],
        task_manager=manager,
        limit=31,
        confirm_run_unsafe_code=with_evidence,
    )
    if model.rank == 0:
        (run,) = [
            path
            for path in (paths.home_dir() / "runs").rglob("answers.jsonl")
            if (path.parent / "games.jsonl").exists()
        ]
        assert len(style_of(load_run(run.parent))) == 31, "the style of the other rank's answers"
        assert all(json.loads(line)["response"] for line in run.read_text().splitlines()), "answers of the other rank"
        if with_evidence:
            evidence = read_evidence(run.with_name("evidence.jsonl"))
            assert len(evidence) == 62, "the evidence of the other rank's answers"
            assert load_run(run.parent).result["manifest"]["evidence"]["grades"]["answer"] == {"ran": 31}
        found = results["results"]["codearena_mini"]
        print(json.dumps({key.split(",")[0]: value for key, value in found.items() if "," in key}), flush=True)
    model.leave()


main()
