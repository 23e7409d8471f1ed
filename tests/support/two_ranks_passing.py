"""One rank of two: evaluates our small HumanEval+ with a data-parallel model. Run by torchrun; rank 0 prints."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import lm_eval
import torch
import torch.distributed as dist
from lm_eval.api.model import LM
from lm_eval.tasks import TaskManager
from pass_runs import ANSWERS

from codearena_plugin import paths

TASK = "codearena_humaneval_plus"


class ParallelScripted(LM):
    def __init__(self) -> None:
        super().__init__()
        dist.init_process_group("gloo")
        self._rank, self._world_size = dist.get_rank(), dist.get_world_size()
        self._device = torch.device("cpu")

    def generate_until(self, requests: list[Any], **_: Any) -> list[str]:
        return [ANSWERS[request.doc["id"]] for request in requests]

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
    dist.barrier()
    dist.destroy_process_group()


main()
