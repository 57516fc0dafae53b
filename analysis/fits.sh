#!/usr/bin/env bash
# All fits and figures of the four claims, from the saved tables alone; nothing is trained. A minute or two a study on two cores.
# Exit 1 of `fit` and `collapse` says that the result is unreliable: it is kept, with its reasons.
#
#     bash analysis/fits.sh [STUDY...]
set -euo pipefail
cd "$(dirname "$0")/.."
program=${PRUNEPHASE:-target/debug/prunephase}
[ -x "$program" ] || cargo build --no-default-features
claims=${CLAIMS:-target/debug/examples/claims}
[ -x "$claims" ] || cargo build --no-default-features --example claims

# unreliable is a result; anything else that fails is told and kept as the reason
attempt() {
    local json=$1 message
    shift
    if ! message=$("$program" "$@" 2>&1 >/dev/null) && [ ! -f "$json" ]; then
        printf '{"failed": "%s"}\n' "$(printf '%s' "${message#prunephase: }" | tail -n 1 | tr '"' "'")" >"$json"
    fi
}

studies=("$@")
[ $# -gt 0 ] || studies=(claim-1-transition claim-2-scaling claim-3-universality claim-3-cnn5-fashion-mnist
    claim-3-cnn5-kmnist-10k claim-3-cnn5-mnist-10k claim-3-fc4-kmnist-10k claim-3-fc4-mnist-10k)
for study in "${studies[@]}"; do
    folder=analysis/results/$study
    [ -f "$folder/levels.csv" ] || continue
    curve=(--size width --value m --replicate seed --seed 1)
    rm -f "$folder"/{fit,peaks,crossings}.json "$folder"/collapse*.json
    attempt "$folder/fit.json" fit "$folder/levels.csv" "${curve[@]}" --control density --out "$folder"
    fluctuations=("$folder/fluctuations.csv" --size hidden --control ln_density --seed 1)
    attempt "$folder/peaks.json" fit "${fluctuations[@]}" --value chi_m --error chi_m_error --peaks --out "$folder"
    ratios=("$folder/ratios.csv" --size hidden --control density --seed 1)
    attempt "$folder/crossings.json" fit "${ratios[@]}" --value r --error r_error --crossings --out "$folder"
    for control in mean_degree kept lambda density; do
        table=levels.csv
        [ $control = lambda ] && table=lambda.csv
        attempt "$folder/collapse.json" \
            collapse "$folder/$table" "${curve[@]}" --control $control --out "$folder"
        mv "$folder/collapse.json" "$folder/collapse-$control.json"
    done
    cp "$folder/collapse-density.json" "$folder/collapse.json"
    "$claims" look "$study"
done
# every figure of the first study and of the ladder; of the other pairs those that the page compares
for folder in analysis/results/claim-*; do
    [ -f "$folder/levels.csv" ] || continue
    study=$(basename "$folder")
    gallery=plots/gallery/$study
    case $study in
        claim-1-* | claim-4-*) "$program" plot "$folder" --format svg --out "$gallery" || true ;;
        *)
            for figure in order-parameter phase-diagram rivals collapse; do
                "$program" plot "$folder" --figure $figure --format svg --out "$gallery" || true
            done
            ;;
    esac
    for figure in order-parameter phase-diagram rivals ladder; do
        [ ! -f "$gallery/$figure.svg" ] || "$program" plot "$folder" --figure $figure --format png --dpi 200 --out "$gallery"
    done
done
