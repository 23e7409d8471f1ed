"""One rank of two: evaluates the mini suite with a data-parallel model over gloo. Run by torchrun; rank 0 prints."""

from __future__ import annotations

import json
import sys
from typing import Any

import lm_eval
import torch
import torch.distributed as dist
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager

from codearena_plugin import paths
from codearena_plugin.evidence.files import read_evidence
from codearena_plugin.runs.files import load_run
from codearena_plugin.runs.style import style_of


class ParallelParrot(LM):
    def __init__(self) -> None:
        super().__init__()
        dist.init_process_group("gloo")
        self._rank, self._world_size = dist.get_rank(), dist.get_world_size()
        self._device = torch.device("cpu")

    def generate_until(self, requests: list[Any], **_: Any) -> list[str]:
        return ["Here is code:\n```python\nprint(1)\n```"] * len(requests)

    def loglikelihood(self, requests: Any, **_: Any) -> Any:
        raise NotImplementedError

    loglikelihood_rolling = loglikelihood

    def all_gather(self, tensor: torch.Tensor) -> torch.Tensor:
        parts = [torch.zeros_like(tensor) for _ in range(self.world_size)]
        dist.all_gather(parts, tensor)
        return torch.stack(parts)

    def gather_object(self, obj: Any, dst: int = 0) -> Any:
        parts = [None] * self.world_size if self.rank == dst else None
        dist.gather_object(obj, parts, dst=dst)
        return parts

    def barrier(self) -> None:
        dist.barrier()


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
    dist.barrier()
    dist.destroy_process_group()


main()
