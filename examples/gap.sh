#!/usr/bin/env bash
# Preference beside execution. The first command needs nothing; the second a run and what EvalPlus said of the same model.
#   bash gap.sh
#   bash gap.sh runs/my-model my-model_eval_results.json "my-model=my-model"
set -euo pipefail
out=${OUT:-out/gap}
mkdir -p "$out"

codearena gap --published --rate win_rate --format markdown >"$out/published.md" # the paper's own axes
codearena gap --published --format json >"$out/published.json"
codearena gap --published --execution evalplus --format csv >"$out/evalplus.csv" # EvalPlus' numbers for 19 of the models
echo "written to $out"

if [ $# -ge 2 ]; then
  codearena gap "$1" --published --execution "$2" ${3:+--match "$3"} --plot "$out/gap.svg" # --plot: codearena-plugin[report]
fi
