"""HumanEval+ for base models: the model completes a function, our sandbox runs it on EvalPlus' tests."""

from opencompass.openicl.icl_retriever import ZeroRetriever

from codearena_plugin.harness.opencompass.benchmarks.dataset import BenchmarkDataset
from codearena_plugin.harness.opencompass.benchmarks.evaluator import BenchmarkEvaluator
from codearena_plugin.harness.opencompass.benchmarks.template import CompletionInferencer, CompletionTemplate

codearena_humaneval_plus_base_datasets = [
    dict(
        abbr="codearena_humaneval_plus_base",
        type=BenchmarkDataset,
        benchmark="humaneval",
        style="base",
        n=1,
        reader_cfg=dict(input_columns=["completed"], output_column="id"),
        infer_cfg=dict(
            prompt_template=dict(type=CompletionTemplate),
            retriever=dict(type=ZeroRetriever),
            # EvalPlus' own limit, so that numbers compare
            inferencer=dict(type=CompletionInferencer, benchmark="humaneval", max_out_len=768),
        ),
        # confirm_run_unsafe_code=True, or CODEARENA_RUN_UNSAFE_CODE=1: nothing is run without it
        eval_cfg=dict(evaluator=dict(type=BenchmarkEvaluator)),
    )
]
