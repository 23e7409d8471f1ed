#!/usr/bin/env bash
# Generate with vLLM inside lm-eval, judge with an OpenAI-compatible server (hosted, or `vllm serve` elsewhere).
#   MODEL=Qwen/Qwen2.5-Coder-7B-Instruct JUDGE_URL=http://localhost:8000/v1 JUDGE=Qwen2.5-72B-Instruct bash lm_eval_vllm.sh
# A hosted judge needs its key in CODEARENA_JUDGE_API_KEY, and no JUDGE_URL.
set -euo pipefail
model=${MODEL:?the model under test} out=${OUT:-out/lm_eval}
options="{\"judge\": \"codearena\", \"judge_max_cost_usd\": ${MAX_COST:-20}}"
if [ -n "${JUDGE_URL:-}" ]; then
  options="{\"judge\": \"codearena\", \"judge_base_url\": \"$JUDGE_URL\", \"judge_model\": \"${JUDGE:?its model}\", \"judge_max_tokens\": ${JUDGE_MAX_TOKENS:-8192}}"
fi
lm_eval run --model vllm --model_args "pretrained=$model${MODEL_ARGS:+,$MODEL_ARGS}" --apply_chat_template \
  --batch_size auto --tasks "${TASK:-codearena}" --gen_kwargs "max_gen_toks=${MAX_TOKENS:-8192}" \
  --metadata "$options" --log_samples --output_path "$out"
