//! Exponentials of many numbers at once.

/// Adds `weight * exp(x)` for every exponent, none of which is above 0, to `sums`. Exponents below -700 count as
/// -700. Within 4e-16 of the correctly rounded value, relatively.
pub(super) fn scaled_exp(weight: f64, exponents: &[f64], sums: &mut [f64]) {
    pulp::Arch::new().dispatch(Scaled { weight, exponents, sums });
}

struct Scaled<'a> {
    weight: f64,
    exponents: &'a [f64],
    sums: &'a mut [f64],
}

impl pulp::NullaryFnOnce for Scaled<'_> {
    type Output = ();

    // Inlined into a function that is compiled for the widest vectors of the machine.
    #[inline(always)]
    fn call(self) {
        let Scaled { weight, exponents, sums } = self;
        for (sum, &exponent) in sums.iter_mut().zip(exponents) {
            *sum += weight * exp_of_nonpositive(exponent);
        }
    }
}

/// 1.5 * 2^52: adding it rounds to a whole number, which then stands in the lowest bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts, the first with 21 zero bits at its end.
const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `exp(x) = 2^n exp(r)`, |r| <= ln 2 / 2, with the Taylor polynomial of degree 13 for `exp(r)`.
#[inline(always)]
fn exp_of_nonpositive(x: f64) -> f64 {
    let x = x.max(-700.0);
    let rounded = x * std::f64::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let power = f64::from_bits((rounded.to_bits() << 52).wrapping_add(1023 << 52));
    let mut sum = 1.0 / 6_227_020_800.0;
    for factorial in [
        479_001_600.0,
        39_916_800.0,
        3_628_800.0,
        362_880.0,
        40_320.0,
        5_040.0,
        720.0,
        120.0,
        24.0,
        6.0,
        2.0,
        1.0,
        1.0,
    ] {
        sum = sum * r + 1.0 / factorial;
    }
    sum * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_right_to_the_last_bits() {
        let exponents: Vec<f64> = (0..20_000).map(|step| -f64::from(step) * 0.034_567).collect();
        let mut sums = vec![0.0; exponents.len()];
        scaled_exp(2.0, &exponents, &mut sums);
        for (exponent, sum) in exponents.iter().zip(sums) {
            let exact = 2.0 * exponent.exp();
            assert!((sum - exact).abs() <= 1e-15 * exact, "{exponent}: {sum} instead of {exact}");
        }
        let mut sum = [0.5];
        scaled_exp(1.0, &[-1e9], &mut sum);
        assert!((sum[0] - 0.5).abs() < 1e-300);
    }
}
