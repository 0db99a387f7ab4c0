//! The `nao` command.

/// glibc gives large freed buffers back to the system at once, and every new tensor then pays page faults:
/// 20 to 30 % of a training step. This allocator keeps them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    nao_cli::main()
}
