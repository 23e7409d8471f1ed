"""CodeArena, HumanEval+ and MBPP+ of one model on this machine: preference and pass@1 in one run.

export OC_JUDGE_API_BASE=http://localhost:8000/v1 OC_JUDGE_MODEL=MY-JUDGE     # a key: CODEARENA_JUDGE_API_KEY
codearena opencompass examples/opencompass/eval_benchmarks.py
(cd outputs/codearena/*/results/*/ && codearena gap codearena --execution codearena_humaneval_plus/execution.json)
"""

from mmengine.config import read_base
from opencompass.models import VLLMwithChatTemplate

with read_base():
    from codearena_plugin.harness.opencompass.configs.datasets.codearena import codearena_datasets
    from codearena_plugin.harness.opencompass.configs.datasets.codearena_humaneval_plus import (
        codearena_humaneval_plus_datasets,
    )
    from codearena_plugin.harness.opencompass.configs.datasets.codearena_mbpp_plus import codearena_mbpp_plus_datasets
    from codearena_plugin.harness.opencompass.configs.summarizers.codearena import summarizer

for _each in (*codearena_humaneval_plus_datasets, *codearena_mbpp_plus_datasets):
    _each["eval_cfg"]["evaluator"]["confirm_run_unsafe_code"] = True  # yes, run what the model writes, in the sandbox

datasets = [*codearena_datasets, *codearena_humaneval_plus_datasets, *codearena_mbpp_plus_datasets]
models = [
    dict(
        type=VLLMwithChatTemplate,
        abbr="qwen2.5-coder-7b-instruct",
        path="Qwen/Qwen2.5-Coder-7B-Instruct",
        # without it OpenCompass ends every prompt with a line end of its own
        meta_template=dict(
            round=[dict(role="HUMAN", api_role="HUMAN"), dict(role="BOT", api_role="BOT", generate=True)],
            reserved_roles=[dict(role="SYSTEM", api_role="SYSTEM")],
        ),
        model_kwargs=dict(tensor_parallel_size=1, max_model_len=16384),
        max_seq_len=16384,
        max_out_len=4096,
        batch_size=256,
        run_cfg=dict(num_gpus=1),
    )
]
work_dir = "outputs/codearena"
