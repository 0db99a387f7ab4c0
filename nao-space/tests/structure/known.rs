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

/// The files of each crate that need each other in a cycle: a list that may only become shorter.
pub const KNOWN_CYCLES: [(&str, &[&str]); 6] = [
    ("nao-space", &[]),
    ("nao-kernels", &["cpu/conv.rs cpu/weight_gradient.rs"]),
    ("nao-controller", &[]),
    ("nao-child", &["recipe/built_in.rs recipe/mod.rs", "supernet/child.rs supernet/shared_weights.rs"]),
    (
        "nao-cli",
        &[
            "arch_argument.rs run/config.rs run/contents.rs run/manifest.rs run/relaxed.rs run/shared/mod.rs
             run/shared/policy.rs run/shared/proposer.rs run/starting.rs strategy.rs task/image.rs task/language.rs
             task/mod.rs",
            "report/best.rs report/table.rs",
        ],
    ),
    (
        "nao-run",
        &["executor/exchange/attempt.rs executor/exchange/lease.rs", "store/journal.rs store/opening.rs"],
    ),
];
