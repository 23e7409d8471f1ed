#!/usr/bin/env bash
# What the code of answers does when it runs, shown to the judge, and what that changes.
#   JUDGE_URL=http://localhost:8000/v1 JUDGE=my-judge bash evidence.sh answers.jsonl
set -euo pipefail
answers=${1:?answers of one model}
judge=(--suite "${SUITE:-codearena_mini}" --judge-base-url "${JUDGE_URL:?}" --judge-model "${JUDGE:?}" --max-calls 2000)
out=${OUT:-out/evidence}

codearena execute "$answers" --suite "${SUITE:-codearena_mini}" --output "$out/found" # in the sandbox
codearena judge "$answers" "${judge[@]}" --judge codearena --output "$out/without"
codearena judge "$answers" "${judge[@]}" --judge codearena-evidence --evidence "$out/found" --output "$out/with"
codearena compare "$out/without" "$out/with" --flips
codearena report "$out/with" --output "$out/report.html" # every verdict with what the code did
