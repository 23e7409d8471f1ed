#!/usr/bin/env bash
# Rank runs that were judged before, look at them as a page, take the tables into a paper and the verdicts elsewhere.
#   bash leaderboard.sh runs/first runs/second …
set -euo pipefail
out=${OUT:-out/leaderboard}
mkdir -p "$out"

codearena leaderboard "$@" --by class
codearena leaderboard "$@" --position --no-style --pairs none # how much the place of an answer decides
codearena leaderboard "$1" --published                        # among the paper's models, and what of that compares
codearena leaderboard "$@" --format json >"$out/leaderboard.json"
codearena report "$@" --output "$out/report.html" --tables "$out/tables"
codearena export "$@" --output "$out/verdicts.jsonl" --force
