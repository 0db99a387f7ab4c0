//! What the crates' inner order is today.

/// The top modules of crates, lowest first: each with those that it may import, which stand above it. The tables of
/// ARCHITECTURE.md.
pub const ROOMS: [(&str, &str); 1] = [(
    "nao-space",
    "
excerpt   ->
file      ->
graph     ->
seed      ->
text      -> excerpt
trial     -> text
image     -> excerpt text
language  -> graph seed text
spaces    -> excerpt graph image language text
features  -> graph language
network   -> image language spaces
notation  -> excerpt image language network spaces text
draw      -> image language network spaces
search    -> image language seed trial
table     -> excerpt file language spaces text trial
arbitrary -> graph image language network seed spaces
",
)];

/// The files of each crate that need each other in a circle: a list that may only become shorter.
pub const KNOWN_CIRCLES: [(&str, &[&str]); 5] = [
    ("nao-space", &[]),
    ("nao-kernels", &["cpu/conv.rs cpu/weight_gradient.rs"]),
    (
        "nao-controller",
        &[
            "policy/learner.rs policy/network.rs policy/surrogate.rs",
            "strategy/candidates.rs strategy/cheap.rs strategy/structure.rs strategy/structure_state.rs",
            "strategy/nao.rs strategy/state.rs",
        ],
    ),
    ("nao-child", &["recipe/built_in.rs recipe/mod.rs", "supernet/bank.rs supernet/child.rs"]),
    (
        "nao-cli",
        &[
            "command/bench/mod.rs command/best.rs command/cancel.rs command/draw.rs command/export.rs command/fit.rs
             command/import.rs command/mod.rs command/predict.rs command/search.rs command/simulate/mod.rs
             command/space.rs command/status.rs command/table.rs command/table_check.rs command/train/image.rs
             command/train/language.rs command/train/mod.rs command/worker/mod.rs command/worker/shift.rs
             command/worker/slots.rs command/worker/stdio.rs command/zoo/mod.rs command/zoo/recurrent.rs",
            "executor/exchange/attempt.rs executor/exchange/lease.rs",
            "executor/exchange/desk.rs executor/mod.rs",
            "report/best.rs report/table.rs",
            "run/config.rs run/folder.rs run/relaxed.rs run/shared/files.rs run/shared/mod.rs run/shared/policy.rs
             run/shared/proposer.rs strategy.rs task/image.rs task/language.rs task/mod.rs",
            "run/store/journal.rs run/store/opening.rs",
        ],
    ),
];
