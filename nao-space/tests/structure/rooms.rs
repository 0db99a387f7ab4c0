//! The inner order of the crates.

/// The top modules of crates, lowest first: each with those that it may import, which stand above it. The tables of
/// ARCHITECTURE.md.
pub const ROOMS: [(&str, &str); 6] = [
    (
        "nao-space",
        "
excerpt   ->
file      ->
graph     ->
seed      ->
settings  ->
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
laws      -> graph image language network seed spaces
",
    ),
    (
        "nao-kernels",
        "
cpu       ->
switch    -> cpu
extension -> cpu switch
operation -> cpu extension switch
nn        -> cpu operation
",
    ),
    (
        "nao-controller",
        "
error            ->
files            ->
init             ->
ops              -> init
language         ->
metrics          ->
targets          ->
scored           ->
parameters       -> error
bundle           ->
adam             -> bundle error
gaussian_process -> error
lstm             -> error init language ops scored targets
policy           -> adam bundle error init language ops parameters
surrogate        -> bundle error init ops parameters
structure        -> error files gaussian_process init language metrics ops scored targets
strategy         -> bundle error gaussian_process language lstm metrics policy structure surrogate targets
registry         -> error language lstm policy strategy structure
",
    ),
    (
        "nao-child",
        "
op        ->
data      ->
fidelity  -> data
names     ->
network   -> op
recipe    -> data fidelity
train     -> data names network op recipe
evaluator -> data recipe train
language  -> data evaluator fidelity names recipe train
relaxed   -> data network op recipe train
supernet  -> data evaluator fidelity names network op recipe train
cell_recipe -> data evaluator language recipe
",
    ),
    (
        "nao-cli",
        "
output         ->
logging        ->
flags          ->
failure        -> output
figures        ->
interrupt      -> failure output
device         ->
progress       -> figures output
pretrained     -> output
cell_network   ->
args           -> cell_network
data           -> args
space_argument -> args
arch_text      -> args space_argument
registries     -> args space_argument
cells          -> arch_text args cell_network registries space_argument
help           -> args registries
run            -> arch_text args cell_network cells data device failure figures flags interrupt pretrained progress registries
arch_argument  -> arch_text args cell_network cells flags run
report         -> cells figures output run
command        -> arch_argument arch_text args cell_network cells data device failure figures flags interrupt output pretrained progress registries report run space_argument
",
    ),
    (
        "nao-run",
        "
error           ->
host            ->
interruption    ->
memory          ->
score           ->
shell           ->
files           -> error
lock            -> error host
manifest        -> error files
store           -> error files
stored_arch     -> error
settings        -> error files manifest shell
end             -> error store
folder          -> end error files lock manifest settings shell store
training_folder -> error files manifest settings
adoption        -> error folder manifest settings store stored_arch
budget          -> error shell store
ranking         -> store
executor        -> error files folder host memory shell
watcher         -> executor store
coordinator     -> error executor files folder interruption store stored_arch watcher
search          -> coordinator error executor files folder store watcher
execution       -> coordinator error executor files folder shell
status          -> end error execution executor folder settings store
worker          -> error executor folder memory shell
simulated       -> coordinator error execution executor folder memory watcher
",
    ),
];
