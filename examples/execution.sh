#!/usr/bin/env bash
# Programs on EvalPlus' tests, in the sandbox: of samples that exist, then of a model inside lm-eval.
#   bash execution.sh samples.jsonl                       # lines of task_id and solution, or completion
#   MODEL=Qwen/Qwen2.5-Coder-7B-Instruct bash execution.sh
# EvalPlus' data are found where EvalPlus keeps them, or name them: EVALPLUS_DATA=directory.
set -euo pipefail
out=${OUT:-out/execution} benchmark=${BENCHMARK:-humaneval}
mkdir -p "$out"
codearena doctor | grep -E "^ ?sandbox" || true # which sandbox works here

if [ $# -ge 1 ]; then
  codearena passk "$1" --benchmark "$benchmark" ${EVALPLUS_DATA:+--data "$EVALPLUS_DATA"} --output "$out/samples"
fi
if [ -n "${MODEL:-}" ]; then # consent is lm-eval's own flag; codearena_gap judges too, see README.md
  lm_eval run --model vllm --model_args "pretrained=$MODEL" --apply_chat_template --batch_size auto \
    --tasks "codearena_${benchmark}_plus" --confirm_run_unsafe_code --output_path "$out/lm_eval" \
    --metadata "{\"codearena_evalplus_data\": \"${EVALPLUS_DATA:-}\"}"
fi
