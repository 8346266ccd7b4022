#!/bin/sh
# The study of docs/families.md, whole: trains every family with the same budget, tries what the shortcut and what
# regularisation do, and measures all of it. About three hours on 2 cores.
#
#   sh docs/families.sh ../shared/data OUT
set -eu

data=$1 out=$2
mkdir -p "$out"

train() { # name, options
  name=$1
  shift
  cnnzip train "$data/train" --valid "$data/valid" --name "$name" --run-dir "$out/runs/$name" -o "$out/models" "$@"
}

# The families.
for family in pool dense deconv residual; do
  train $family --family $family --steps 4000
done

# What they would be without the linear shortcut.
for family in dense deconv; do
  train $family-plain --family $family --set shortcut=0 --steps 6000
done

# Two pictures, to provoke overfitting, and what regularisation does about it.
two() { # name, options
  name=$1
  shift
  cnnzip train "$out/two" --valid "$out/two-valid" --family residual --crop 64 --batch 8 --steps 1500 \
    --validate-every 150 --name "$name" --run-dir "$out/runs/$name" -o "$out/models" "$@"
}
mkdir -p "$out/two" "$out/two-valid"
find "$data/train" -name 'bsds-*' | sort | head -2 | xargs -I{} cp {} "$out/two"
find "$data/valid" -name '*.jpg' | sort | head -4 | xargs -I{} cp {} "$out/two-valid"
two two
two two-decay --weight-decay 1
two two-dropout --dropout 0.1
two two-patience --patience 2

python -m cnnzip.train.runs "$out"/runs/*
CNNZIP_MODELS=$out/models cnnzip bench "$data/kodak" -o "$out/report" --jobs 2 --metrics psnr_rgb,ssimulacra2 \
  --codecs jpeg,webp,cnnzip-pool,cnnzip-dense,cnnzip-deconv,cnnzip-residual
CNNZIP_MODELS=$out/models python -m cnnzip.bench.seams "$data/kodak" --model dense --crop "$out/seams.png"
