//! The vector instructions that kernels run on, chosen at run time and passed down as a value.

use pulp::{Arch, Simd, WithSimd};

/// A set of vector instructions of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Isa(Arch);

impl Isa {
    /// The widest that this machine has: AVX-512, AVX2 with FMA, NEON, or plain code.
    pub fn best() -> Self {
        Isa(Arch::new())
    }

    /// Plain code, one value at a time.
    #[cfg(target_arch = "x86_64")]
    pub fn plain() -> Self {
        Isa(Arch::Scalar)
    }

    /// The best there is: plain code can be asked for on x86-64 only.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn plain() -> Self {
        Isa::best()
    }

    /// AVX2 with FMA, where the machine has it.
    #[cfg(target_arch = "x86_64")]
    pub fn avx2() -> Option<Self> {
        pulp::x86::V3::try_new().map(|simd| Isa(Arch::V3(simd)))
    }

    /// AVX2 with FMA, where the machine has it.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn avx2() -> Option<Self> {
        None
    }

    /// Every set that this machine has, each of which computes the same up to rounding.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Isa::plain()];
        all.extend(Isa::avx2());
        all.push(Isa::best());
        all
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self.lanes() {
            16 => "avx512",
            8 => "avx2",
            4 => "neon",
            _ => "plain",
        }
    }

    /// Runs `work` compiled for these instructions.
    #[inline(always)]
    pub(crate) fn run<W: WithSimd>(self, work: W) -> W::Output {
        self.0.dispatch(work)
    }

    /// Values per vector.
    pub(crate) fn lanes(self) -> usize {
        struct Lanes;
        impl WithSimd for Lanes {
            type Output = usize;
            #[inline(always)]
            fn with_simd<S: Simd>(self, _: S) -> usize {
                S::F32_LANES
            }
        }
        self.run(Lanes)
    }
}

/// The vector at `source[at..]`.
///
/// # Safety
/// `at + S::F32_LANES` is at most the length of `source`. The kernels check this once per call for the largest `at`
/// they use: a check per load would cost as much as the arithmetic.
#[inline(always)]
pub(crate) unsafe fn load<S: Simd>(_: S, source: &[f32], at: usize) -> S::f32s {
    debug_assert!(at + S::F32_LANES <= source.len());
    // SAFETY: in bounds by the contract; `f32s` is plain old data of that many f32s.
    unsafe { source.as_ptr().add(at).cast::<S::f32s>().read_unaligned() }
}

/// Writes a vector to `target[at..]`.
///
/// # Safety
/// As [`load`].
#[inline(always)]
pub(crate) unsafe fn store<S: Simd>(_: S, target: &mut [f32], at: usize, value: S::f32s) {
    debug_assert!(at + S::F32_LANES <= target.len());
    // SAFETY: as in `load`.
    unsafe { target.as_mut_ptr().add(at).cast::<S::f32s>().write_unaligned(value) }
}

/// The numbers at `source[at..]`.
///
/// # Safety
/// As [`load`].
#[inline(always)]
pub(crate) unsafe fn load_u32<S: Simd>(_: S, source: &[u32], at: usize) -> S::u32s {
    debug_assert!(at + S::U32_LANES <= source.len());
    // SAFETY: as in `load`.
    unsafe { source.as_ptr().add(at).cast::<S::u32s>().read_unaligned() }
}

/// Writes numbers to `target[at..]`.
///
/// # Safety
/// As [`load`].
#[inline(always)]
pub(crate) unsafe fn store_u32<S: Simd>(_: S, target: &mut [u32], at: usize, value: S::u32s) {
    debug_assert!(at + S::U32_LANES <= target.len());
    // SAFETY: as in `load`.
    unsafe { target.as_mut_ptr().add(at).cast::<S::u32s>().write_unaligned(value) }
}

/// The vector at `source[at..]`, or what is left of one. Whole vectors are plain loads; those of a part cost more.
#[inline(always)]
pub(crate) fn read<S: Simd>(simd: S, source: &[f32], at: usize) -> S::f32s {
    if at + S::F32_LANES <= source.len() {
        // SAFETY: checked in the line above.
        unsafe { load(simd, source, at) }
    } else {
        simd.partial_load_f32s(&source[at..])
    }
}

/// Writes a vector to `target[at..]`, up to the end of the slice.
#[inline(always)]
pub(crate) fn write<S: Simd>(simd: S, target: &mut [f32], at: usize, value: S::f32s) {
    if at + S::F32_LANES <= target.len() {
        // SAFETY: checked in the line above.
        unsafe { store(simd, target, at, value) }
    } else {
        simd.partial_store_f32s(&mut target[at..], value);
    }
}

/// `a b + c`, in one rounding where the machine can.
#[inline(always)]
pub(crate) fn fma<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    if S::IS_SCALAR {
        // Without the instruction, a fused product is a slow library call.
        simd.add_f32s(simd.mul_f32s(a, b), c)
    } else {
        simd.mul_add_e_f32s(a, b, c)
    }
}

/// Splits work into a `WithSimd` value: a function of a vector set and some arguments.
///
/// `kernel! { fn name<'a>(simd, x: &'a [f32], k: f32) -> f32 { body } }` makes `name(isa, x, k)`, whose body is compiled
/// once per vector set and may call `#[inline(always)]` functions generic over [`Simd`].
macro_rules! kernel {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$life:lifetime>(
        $simd:ident, $($arg:ident: $type:ty),* $(,)?
    ) $(-> $out:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        #[inline]
        $vis fn $name<$life>(isa: $crate::cpu::isa::Isa, $($arg: $type),*) $(-> $out)? {
            struct Work<$life> { $($arg: $type,)* life: std::marker::PhantomData<&$life ()> }
            impl<$life> pulp::WithSimd for Work<$life> {
                type Output = kernel!(@out $($out)?);
                #[inline(always)]
                fn with_simd<S: pulp::Simd>(self, $simd: S) -> Self::Output {
                    let Work { $($arg,)* life: _ } = self;
                    $body
                }
            }
            isa.run(Work { $($arg,)* life: std::marker::PhantomData })
        }
    };
    (@out) => { () };
    (@out $out:ty) => { $out };
}
pub(crate) use kernel;
