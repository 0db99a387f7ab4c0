#!/usr/bin/env bash
# Our programs and PyTorch side by side on the same work, in alternation.
set -euo pipefail

usage() {
    cat <<'END'
Usage: benches/compare.sh [OPTIONS]

  --rounds N          how often each workload is run on both sides [default: 5]
  --seconds S         how long each run repeats the work [default: 2]
  --threads "N ..."   numbers of threads [default: "1 2"]
  --only PATTERN      workloads whose name matches this regular expression
  --layouts "L ..."   feature maps of PyTorch: nchw, nhwc or both; where there are none,
                      for controllers and language models, PyTorch runs once [default: "nchw nhwc"]
  --out FILE          results; the table goes beside them, as .md [default: benches/results/DATE-COMMIT.jsonl]

Environment: PYTHON, a Python with PyTorch [default: python3]; WORKLOAD_BIN, our program where it is built already.
END
}

die() {
    echo "compare.sh: $*" >&2
    exit 1
}

rounds=5 seconds=2 threads="1 2" only="" layouts="nchw nhwc" out=""
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help) usage; exit ;;
        --rounds | --seconds | --threads | --only | --layouts | --out) [ $# -ge 2 ] || die "$1 needs a value" ;;
        *) die "unknown option $1; see --help" ;;
    esac
    case "$1" in
        --rounds) rounds=$2 ;;
        --seconds) seconds=$2 ;;
        --threads) threads=$2 ;;
        --only) only=$2 ;;
        --layouts) layouts=$2 ;;
        --out) out=$2 ;;
    esac
    shift 2
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
peers=$root/benches/peers
python=${PYTHON:-python3}
"$python" -c 'import torch' 2>/dev/null ||
    die "$python has no PyTorch: run \`$python -m pip install -r benches/peers/requirements.txt\`, or set PYTHON"

# Where the results go: never over others.
commit=$(git -C "$root" rev-parse --short HEAD)
git -C "$root" diff --quiet HEAD || commit=$commit-dirty
if [ -z "$out" ]; then
    stem=$root/benches/results/$(date +%F)-$commit
    out=$stem.jsonl
    for ((copy = 2; ; copy++)); do
        [ -e "$out" ] || break
        out=$stem-$copy.jsonl
    done
fi
table=${out%.jsonl}.md
if [ -e "$out" ] || [ -e "$table" ]; then
    die "$out or $table is there already"
fi
mkdir -p "$(dirname "$out")"

# Our side.
ours=${WORKLOAD_BIN:-}
if [ -z "$ours" ]; then
    cargo build --release --manifest-path "$root/Cargo.toml" -p nao-benches --bin workload
    target=$(cargo metadata --manifest-path "$root/Cargo.toml" --no-deps --format-version 1 |
        "$python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
    ours=$target/release/workload
fi
workloads=$(mktemp -d)
trap 'rm -rf "$workloads"' EXIT
"$ours" write "$workloads" >&2

# What is to be run.
files=() names=() groups=()
for file in "$workloads"/*.json; do
    [ -e "$file" ] || die "$ours wrote no workloads"
    facts=$("$python" "$peers/facts.py" workload "$file")
    group=${facts%%$'\t'*} name=${facts#*$'\t'}
    if [[ $name =~ $only ]]; then
        files+=("$file") names+=("$name") groups+=("$group")
    fi
done
[ ${#files[@]} -gt 0 ] || die "no workload's name matches $only"

# One run of one side, `nao` or a layout of PyTorch: its line of JSON, with round, group and layout in front.
measure() {
    local side=$1 index=$2 count=$3 round=$4 line
    local command=("$ours")
    local options=("${files[index]}" --threads "$count" --seconds "$seconds")
    if [ "$side" != nao ]; then
        command=("$python" "$peers/run.py")
        options+=(--layout "$side")
    fi
    if line=$("${command[@]}" "${options[@]}" | tail -n 1) && [ "${line:0:1}" = "{" ]; then
        echo "{\"round\": $round, \"group\": \"${groups[index]}\", \"layout\": \"$side\", ${line#\{}" >>"$out"
    else
        echo "compare.sh: $side failed on ${names[index]}" >&2
        failures=$((failures + 1))
    fi
}

failures=0
"$python" "$peers/facts.py" machine "$commit" >"$out"
for ((round = 1; round <= rounds; round++)); do
    for index in "${!files[@]}"; do
        for count in $threads; do
            echo "round $round of $rounds: ${names[index]}, threads: $count" >&2
            others=$layouts
            [[ "${groups[index]}" != @(controller|language) ]] || others=nchw
            # Who goes first alternates.
            order="nao $others"
            ((round % 2)) || order="$others nao"
            for side in $order; do
                measure "$side" "$index" "$count" "$round"
            done
        done
    done
done

"$python" "$peers/table.py" "$out" | tee "$table"
echo "results in $out, table in $table" >&2
[ "$failures" -eq 0 ] || die "$failures runs failed"
