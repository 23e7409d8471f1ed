"""The judge is a model of OpenCompass on the same GPUs: generated first, then judged by vLLM.

opencompass examples/opencompass/eval_subjective.py
"""

from mmengine.config import read_base
from opencompass.models import VLLMwithChatTemplate
from opencompass.partitioners import NaivePartitioner
from opencompass.partitioners.sub_naive import SubjectiveNaivePartitioner
from opencompass.runners import LocalRunner
from opencompass.tasks import OpenICLInferTask
from opencompass.tasks.subjective_eval import SubjectiveEvalTask

with read_base():
    from codearena_plugin.harness.opencompass.configs.datasets.codearena_subjective import codearena_subjective_datasets
    from codearena_plugin.harness.opencompass.configs.summarizers.codearena_subjective import summarizer

datasets = codearena_subjective_datasets
models = [
    dict(
        type=VLLMwithChatTemplate,
        abbr="qwen2.5-coder-7b-instruct",
        path="Qwen/Qwen2.5-Coder-7B-Instruct",
        model_kwargs=dict(tensor_parallel_size=1, max_model_len=16384),
        meta_template=dict(
            round=[dict(role="HUMAN", api_role="HUMAN"), dict(role="BOT", api_role="BOT", generate=True)],
            reserved_roles=[dict(role="SYSTEM", api_role="SYSTEM")],
        ),
        max_seq_len=16384,
        max_out_len=4096,
        batch_size=256,
        run_cfg=dict(num_gpus=1),
    )
]
judge_models = [
    dict(
        type=VLLMwithChatTemplate,
        abbr="qwen2.5-32b-instruct",
        path="Qwen/Qwen2.5-32B-Instruct",
        model_kwargs=dict(tensor_parallel_size=2, max_model_len=32768),
        generation_kwargs=dict(temperature=0.2),
        max_seq_len=32768,  # longer games are skipped and counted, never cut
        max_out_len=4096,
        batch_size=256,
        run_cfg=dict(num_gpus=2),
    )
]
infer = dict(partitioner=dict(type=NaivePartitioner), runner=dict(type=LocalRunner, task=dict(type=OpenICLInferTask)))
eval = dict(
    partitioner=dict(type=SubjectiveNaivePartitioner, models=models, judge_models=judge_models),
    runner=dict(type=LocalRunner, max_num_workers=1, task=dict(type=SubjectiveEvalTask)),
)
work_dir = "outputs/codearena_subjective"
