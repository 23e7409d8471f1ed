"""A model on this machine through transformers, judged by a URL.

export OC_JUDGE_API_BASE=http://localhost:8000/v1 OC_JUDGE_MODEL=MY-JUDGE     # a key: CODEARENA_JUDGE_API_KEY
codearena opencompass examples/opencompass/eval_hf.py
"""

from mmengine.config import read_base
from opencompass.models import HuggingFacewithChatTemplate

with read_base():
    from codearena_plugin.harness.opencompass.configs.datasets.codearena import codearena_datasets
    from codearena_plugin.harness.opencompass.configs.summarizers.codearena import summarizer

datasets = codearena_datasets
models = [
    dict(
        type=HuggingFacewithChatTemplate,
        abbr="qwen2.5-coder-7b-instruct",
        path="Qwen/Qwen2.5-Coder-7B-Instruct",
        # without it OpenCompass ends every prompt with a line end of its own
        meta_template=dict(
            round=[dict(role="HUMAN", api_role="HUMAN"), dict(role="BOT", api_role="BOT", generate=True)],
            reserved_roles=[dict(role="SYSTEM", api_role="SYSTEM")],
        ),
        max_seq_len=16384,
        max_out_len=4096,
        batch_size=8,
        run_cfg=dict(num_gpus=1),
    )
]
work_dir = "outputs/codearena"
