#!/usr/bin/env bash
# Makes the numbers of docs/results.md: trains every arm at equal compute with three seeds and scores each on 3,072 held-out pictures.
# Usage: docs/reproduce-results.sh [FOLDER]   (default runs/results; finished arms are kept, so it can be started again)
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-runs/results}
mkdir -p "$out"
tool=./cogrpo-native
config=configs/emoji-scenes.json
full=(--set train.evaluation.promptsPerTask=64 --set train.evaluation.samples=8)

train() { # NAME SEED OPTION...
  local name=$1 seed=$2; shift 2
  [ -f "$out/$name-$seed/report.md" ] || {
    rm -rf "$out/$name-$seed"
    $tool train --config $config --seed "$seed" --output "$out/$name-$seed" "$@"
  }
}

score() { # NAME STEPS OPTION...
  local name=$1 steps=$2; shift 2
  [ -f "$out/eval-$name/eval.csv" ] || $tool eval --config $config --output "$out/eval-$name" "${full[@]}" --set "train.evaluation.steps=$steps" "$@"
}

for seed in 1 2 3; do
  train co-grpo "$seed" --set 'train.cycles=[{"schedule":14},{"model":12}]'
  train schedule "$seed" --set train.mode=schedule --set 'train.cycles=[{"schedule":26}]'
  train naive "$seed" --set train.mode=naive --set 'train.cycles=[{"model":26}]'
done
for seed in 1 2 3; do
  # Each of these also scores the checkpoint's model under the hand-made schedule.
  score "co-grpo-$seed" '[4,6,8,12,16]' --checkpoint "$out/co-grpo-$seed/model" --schedule "$out/co-grpo-$seed/model"
  score "schedule-$seed" '[8]' --checkpoint "$out/schedule-$seed/model" --schedule "$out/schedule-$seed/model"
  score "naive-$seed" '[8]' --checkpoint "$out/naive-$seed/model"
done
score base '[4,6,8,12,16]'
score best-hand-made '[8]' --grid
