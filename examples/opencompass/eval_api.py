"""A model behind any OpenAI-compatible URL, such as a vLLM server of another environment, judged by a URL.

vllm serve MODEL --port 8001      # in its own environment
codearena opencompass examples/opencompass/eval_api.py
"""

from mmengine.config import read_base
from opencompass.models import OpenAISDK

with read_base():
    from codearena_plugin.harness.opencompass.configs.datasets.codearena import codearena_datasets
    from codearena_plugin.harness.opencompass.configs.summarizers.codearena import summarizer

datasets = codearena_datasets
models = [
    dict(
        type=OpenAISDK,
        abbr="served-model",
        path="MODEL",
        openai_api_base="http://localhost:8001/v1",
        key="ENV",  # OPENAI_API_KEY; a key written here would be copied into every dump of this config
        tokenizer_path="MODEL",  # counts tokens; without it OpenCompass downloads one of OpenAI's
        meta_template=dict(
            round=[dict(role="HUMAN", api_role="HUMAN"), dict(role="BOT", api_role="BOT", generate=True)],
            reserved_roles=[dict(role="SYSTEM", api_role="SYSTEM")],
        ),
        query_per_second=64,  # OpenCompass' default is 1
        max_workers=64,
        max_seq_len=32768,
        max_out_len=4096,
        batch_size=64,
        temperature=0.0,
    )
]
work_dir = "outputs/codearena"
