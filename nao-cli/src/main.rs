//! The `nao` command.

/// glibc gives large freed buffers back to the system at once, and every new tensor then pays page faults:
/// 20 to 30 % of a training step. This allocator keeps them for a second, and with [`keep_freed_memory`] for good.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Training asks for the same memory at every step. What the allocator gives back to the system between two steps comes
/// again page by page, zeroed: a twentieth of a step. `MIMALLOC_PURGE_DELAY` in the environment wins over this.
fn keep_freed_memory() {
    /// `mi_option_purge_delay`, which the bindings do not name; -1 is never.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    // SAFETY: sets a number inside the allocator; any option and value are allowed, at any time.
    unsafe { libmimalloc_sys::mi_option_set_default(PURGE_DELAY, -1) };
}

/// Whether the process that started this one has it ignore a signal, as `nohup` does.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: changes nothing, and fills in the action where it succeeds.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(not(unix))]
fn is_ignored(_signal: i32) -> bool {
    false
}

fn main() -> std::process::ExitCode {
    keep_freed_memory();
    nao_cli::main(is_ignored)
}
