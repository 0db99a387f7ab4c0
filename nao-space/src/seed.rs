//! Random generators derived from data: (run seed, purpose, index), never from time or thread.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// An independent generator for one purpose of one run: same arguments, same stream, on every machine.
///
/// ```
/// use nao_space::seed::rng_for;
/// use rand::RngExt;
/// let (mut a, mut b) = (rng_for(7, "trial", 3), rng_for(7, "trial", 3));
/// assert_eq!(a.random::<u64>(), b.random::<u64>());
/// assert_ne!(rng_for(7, "trial", 4).random::<u64>(), rng_for(7, "round", 4).random::<u64>());
/// ```
pub fn rng_for(seed: u64, purpose: &str, index: u64) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&fnv1a(purpose.as_bytes()).to_le_bytes());
    key[16..24].copy_from_slice(&index.to_le_bytes());
    key[24..].copy_from_slice(b"nao-seed");
    ChaCha8Rng::from_seed(key)
}

/// A seed for one item of one purpose, for passing on to another process.
pub fn seed_for(seed: u64, purpose: &str, index: u64) -> u64 {
    use rand::RngExt;
    // 53 bits, so that the seed survives JSON readers that keep numbers as doubles.
    rng_for(seed, purpose, index).random::<u64>() >> 11
}

/// The 64-bit FNV-1a hash: short, fixed for ever, independent of the standard library's hasher.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
