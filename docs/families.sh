#!/bin/sh
# The study of docs/families.md, whole: trains every family with the same budget, tries what the shortcut and what
# regularisation do, and measures all of it. About three hours on 2 cores.
#
#   sh docs/families.sh ../shared/data OUT
set -eu

data=$1 out=$2
mkdir -p "$out"

train() { # name, pictures, options
  name=$1 pictures=$2
  shift 2
  cnnzip train "$pictures" --valid "$data/valid" --name "$name" --run-dir "$out/runs/$name" -o "$out/models" "$@"
}

# The families.
for family in pool dense deconv residual; do
  train $family "$data/train" --family $family --steps 4000
done

# What they would be without the linear shortcut.
for family in dense deconv; do
  train $family-plain "$data/train" --family $family --set shortcut=0 --steps 6000
done

# Overfitting, provoked with eight pictures, and what regularisation does about it.
few() { # name, options
  name=$1
  shift
  cnnzip train "$out/few" --valid "$out/few-valid" --family residual --crop 64 --batch 8 --steps 2000 \
    --validate-every 200 --name "$name" --run-dir "$out/runs/$name" -o "$out/models" "$@"
}
mkdir -p "$out/few" "$out/few-valid"
find "$data/train" -name 'bsds-*' | sort | head -8 | xargs -I{} cp {} "$out/few"
find "$data/valid" -name '*.jpg' | sort | head -8 | xargs -I{} cp {} "$out/few-valid"
few few
few few-decay --weight-decay 1
few few-dropout --dropout 0.1
few few-patience --patience 2

python -m cnnzip.train.runs "$out"/runs/*
CNNZIP_MODELS=$out/models cnnzip bench "$data/kodak" -o "$out/report" --jobs 2 --metrics psnr_rgb,ssimulacra2 \
  --codecs jpeg,webp,cnnzip-pool,cnnzip-dense,cnnzip-deconv,cnnzip-residual
CNNZIP_MODELS=$out/models python -m cnnzip.bench.seams "$data/kodak" --model dense --crop "$out/seams.png"
