"""CodeArena mini, for trying things out: the judge is a chat model of OpenCompass (``SubjectiveEvalTask``)."""

from opencompass.openicl.icl_inferencer import GenInferencer
from opencompass.openicl.icl_retriever import ZeroRetriever

from codearena_plugin.harness.opencompass.suites.dataset import CodeArenaDataset
from codearena_plugin.harness.opencompass.suites.subjective import CodeArenaSubjectiveEvaluator
from codearena_plugin.harness.opencompass.template import ConversationTemplate

codearena_mini_subjective_datasets = [
    dict(
        abbr="codearena_mini_subjective",  # a name of its own: OpenCompass skips a data set that has results already
        type=CodeArenaDataset,
        suite="codearena_mini",
        mode="singlescore",  # the baseline's answers are in the suite; both orders are played
        reader_cfg=dict(input_columns=["messages"], output_column="id"),
        infer_cfg=dict(
            prompt_template=dict(type=ConversationTemplate),
            retriever=dict(type=ZeroRetriever),
            inferencer=dict(type=GenInferencer, max_out_len=4096),  # OpenCompass' 256 would cut most answers
        ),
        eval_cfg=dict(evaluator=dict(type=CodeArenaSubjectiveEvaluator)),
    )
]
