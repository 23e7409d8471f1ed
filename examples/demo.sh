#!/usr/bin/env bash
# The main job on the embedded suite: two sets of answers, judged against the baseline, then compared.
# The judge is `static`: it needs no model and no key, and it is a smoke test, not a preference model.
set -euo pipefail
out=${OUT:-out/demo}
rm -rf "$out"
mkdir -p "$out"
export CODEARENA_HOME="$out/home" LMEVAL_LOG_LEVEL=WARNING HF_HUB_OFFLINE=1
answers=$(codearena path lm-eval)/codearena_mini/data

for model in careful hasty; do
  echo "== $model: lm_eval run --model codearena-replay --tasks codearena_mini"
  lm_eval run --model codearena-replay --model_args "path=$answers/answers_$model.jsonl" \
    --tasks codearena_mini --metadata "{\"codearena_output\": \"$out/$model\"}" --output_path "$out/lm_eval" 2>"$out/$model.log" ||
    { cat "$out/$model.log" >&2; exit 1; }
  grep -o "static judge: .*" "$out/$model.log" # what lm-eval logged about the judge
done

echo "== codearena rescore: the same run as a table for people, read again from the kept replies"
codearena rescore "$out/careful/codearena_mini" --tables none

echo "== codearena leaderboard: any number of runs; the same prompts, so differences are paired"
codearena leaderboard "$out/careful/codearena_mini" "$out/hasty/codearena_mini"

echo "== codearena show: one prompt, with both answers and the judge's reasons (its end)"
codearena show "$out/hasty/codearena_mini" mini-004 >"$out/show.txt"
tail -n 32 "$out/show.txt"

echo "== codearena execute: what the answers' code does in a sandbox; the same judge, shown that, and what it changes"
if codearena execute "$out/hasty/codearena_mini" --suite codearena_mini >"$out/execute.txt" 2>"$out/execute.log"; then
  grep -m 1 -A 1 "^ answer" "$out/execute.txt" && grep "^ all" "$out/execute.txt" | tail -n 1
  codearena judge "$out/hasty/codearena_mini" --suite codearena_mini --judge static --tables none \
    --output "$out/hasty-evidence" >"$out/evidence.txt" 2>&1
  codearena compare "$out/hasty/codearena_mini" "$out/hasty-evidence" --flips
else
  tail -n 1 "$out/execute.log" # no sandbox works here: it says why, and nothing was run
fi

echo "== codearena report: the same as one page, in which every verdict can be opened"
codearena report "$out/careful/codearena_mini" "$out/hasty/codearena_mini" --output "$out/report.html"

echo "Everything lies in $out. Next: judge your own model, see README.md."
