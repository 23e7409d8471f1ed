#!/usr/bin/env bash
# Preference beside execution: the published models, then a run of yours among them, with what EvalPlus said of it.
#   bash gap.sh
#   bash gap.sh runs/my-model my-model_eval_results.json "my-model=my-model"
set -euo pipefail
out=${OUT:-out/gap}
mkdir -p "$out"

codearena gap --published --rate win_rate --format markdown >"$out/published.md" # the paper's own axes
codearena gap --published --format json >"$out/published.json"
codearena gap --published --execution evalplus --format csv >"$out/evalplus.csv" # EvalPlus' own numbers, 19 models
echo "written to $out"

if [ $# -ge 2 ]; then
  # --plot needs codearena-plugin[report]
  codearena gap "$1" --published --execution "$2" ${3:+--match "$3"} --plot "$out/gap.svg"
fi
