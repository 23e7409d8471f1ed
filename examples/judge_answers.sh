#!/usr/bin/env bash
# Judge stored answers: what would it cost, judge within a budget, look, read the replies again, compare two models.
#   JUDGE_URL=http://localhost:8000/v1 JUDGE=my-judge bash judge_answers.sh answers_a.jsonl answers_b.jsonl
set -euo pipefail
first=${1:?answers of one model} second=${2:?answers of another}
judge=(--suite "${SUITE:-codearena_mini}" --judge codearena --judge-base-url "${JUDGE_URL:?}" --judge-model "${JUDGE:?}" --max-calls 2000)
out=${OUT:-out/judged}

codearena judge "$first" "${judge[@]}" --dry-run
codearena judge "$first" "${judge[@]}" --output "$out/first"
codearena judge "$second" "${judge[@]}" --output "$out/second"
codearena rescore "$out/first" --mode reference # as the published script reads; no call is made
codearena compare "$out/first" "$out/second"
