#!/usr/bin/env bash
# The judge is a local model inside lm-eval: its documents are games made from stored answers.
#   JUDGE=Qwen/Qwen2.5-72B-Instruct ANSWERS=samples_codearena_….jsonl bash judge_with_vllm.sh
set -euo pipefail
judge=${JUDGE:?the judge model} answers=${ANSWERS:?answers: JSONL, samples_*.jsonl or a run directory}
lm_eval run --model vllm --model_args "pretrained=$judge${MODEL_ARGS:+,$MODEL_ARGS}" --apply_chat_template \
  --batch_size auto --tasks judge_codearena --gen_kwargs "max_gen_toks=${MAX_TOKENS:-8192}" \
  --metadata "{\"codearena_answers\": \"$answers\", \"codearena_suite\": \"${SUITE:-codearena}\", \"judge\": \"codearena\"}" \
  --output_path "${OUT:-out/judged}"
