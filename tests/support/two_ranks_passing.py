"""One rank of two: evaluates our small HumanEval+ with a data-parallel model. Run by torchrun; rank 0 prints."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import lm_eval
from lm_eval.tasks import TaskManager
from pass_runs import ANSWERS
from ranks import Ranked

from codearena_plugin import paths

TASK = "codearena_humaneval_plus"


class ParallelScripted(Ranked):
    def answer(self, request: Any) -> str:
        return ANSWERS[request.doc["id"]]


def main() -> None:
    model = ParallelScripted()
    manager = TaskManager(
        include_defaults=False, include_path=str(paths.data_dir("tasks")), metadata=json.loads(sys.argv[1])
    )
    results = lm_eval.simple_evaluate(
        model, tasks=[TASK], task_manager=manager, limit=3, confirm_run_unsafe_code=True, log_samples=True
    )
    if model.rank == 0:
        found = results["results"][TASK]
        print(json.dumps({key.split(",")[0]: value for key, value in found.items() if "," in key}), flush=True)
    model.leave()


main()
