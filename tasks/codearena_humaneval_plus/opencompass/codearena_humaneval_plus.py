"""HumanEval+ for chat models: any model of OpenCompass writes programs, our sandbox runs them on EvalPlus' tests."""

from opencompass.openicl.icl_inferencer import GenInferencer
from opencompass.openicl.icl_retriever import ZeroRetriever

from codearena_plugin.harness.opencompass.benchmarks.dataset import BenchmarkDataset
from codearena_plugin.harness.opencompass.benchmarks.evaluator import BenchmarkEvaluator
from codearena_plugin.harness.opencompass.template import ConversationTemplate

codearena_humaneval_plus_datasets = [
    dict(
        abbr="codearena_humaneval_plus",
        type=BenchmarkDataset,
        benchmark="humaneval",
        style="chat",
        n=1,
        reader_cfg=dict(input_columns=["messages"], output_column="id"),
        infer_cfg=dict(
            prompt_template=dict(type=ConversationTemplate),
            retriever=dict(type=ZeroRetriever),
            inferencer=dict(type=GenInferencer, max_out_len=768),  # EvalPlus' own limit, so that numbers compare
        ),
        # confirm_run_unsafe_code=True, or CODEARENA_RUN_UNSAFE_CODE=1: nothing is run without it
        eval_cfg=dict(evaluator=dict(type=BenchmarkEvaluator)),
    )
]
