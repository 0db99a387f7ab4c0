#!/usr/bin/env bash
# The searches side by side, as in docs/results/search.md: how soon each finds the best of NAS-Bench-201 and of a slice of
# NAS-Bench-101, and how well the predictor ranks.
#
#   benches/searches.sh [DATA] [SEEDS]
#
# DATA is a folder with nasbench201/, nasbench101-subset/ and darts-random214/ (see tests of tables for their columns);
# without it, what needs no file runs. NAO names the program (default: target/release/nao). One thread; about an hour.
set -euo pipefail
data=${1:-}
seeds=${2:-100}
nao=${NAO:-target/release/nao}
export RAYON_NUM_THREADS=1
metrics=cifar10,cifar100,imagenet16-120

rivals=linear,local,pnas,evolution,evolution:non-aging,hier-ea,ppo:short,reinforce:short,ppo,reinforce
"$nao" bench --metric $metrics --seeds "$seeds" --strategies nao,$rivals
"$nao" bench --metric $metrics --seeds "$seeds" --strategies nao --ablations
"$nao" bench --metric $metrics --seeds "$seeds" --mode enumerate --strategies nao,linear
"$nao" bench --metric $metrics --seeds "$seeds" --protocol validation
[ -n "$data" ] || exit 0

"$nao" bench --table "nasbench101:$data/nasbench101-subset/nasbench101_subset.csv.gz" --slice d20k \
    --mode enumerate --strategies nao,linear --seeds $((seeds / 2))

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fit() { "$nao" fit "$@" --direction maximize --unit percent; }
for score in c10_test_e200 c100_test_e200 in16_test_e200; do
    fit "$data/nasbench201/nasbench201.csv.gz" --space nasbench201 --architecture arch_str --score $score \
        --labels 78,156,469,781,1563 --splits 5
done
zcat "$data/nasbench101-subset/nasbench101_subset.csv.gz" | awk 'NR == 1 || /,d20k$/' > "$work/nb101.csv"
fit "$work/nb101.csv" --space nasbench101 --architecture adjacency,ops --score val_e108 --labels 78,156,469 --splits 20
# The genotypes of the DARTS table, written as DARTS prints them.
zcat "$data/darts-random214/darts_random214_cifar10.csv.gz" | awk -F, '
    function cell(items,   parts, n, i, pair, text) {
        n = split(items, parts, ";")
        for (i = 1; i <= n; i++) {
            split(parts[i], pair, ":")
            text = text (i > 1 ? ", " : "") "(\047" pair[1] "\047, " pair[2] ")"
        }
        return "[" text "]"
    }
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; print "architecture,score"; next }
    { printf "\"Genotype(normal=%s, normal_concat=range(2, 6), reduce=%s, reduce_concat=range(2, 6))\",%s\n",
        cell($column["normal"]), cell($column["reduce"]), $column["test_acc_final"] }' > "$work/darts.csv"
fit "$work/darts.csv" --space darts --labels 150 --splits 40
