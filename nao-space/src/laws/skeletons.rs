//! Strategies of skeletons.

use proptest::prelude::*;
use proptest::sample::select;

use crate::network::{CONVENTIONS, Convention, FeatureShape, Reduction, Skeleton, Stem};

/// Small skeletons on which every architecture has a plan: 1 to 3 cells per stage, an even width up to 32,
/// either stem, every convention, images of 4 to 40 pixels (of 32 to 320 after the ImageNet stem), with an auxiliary head
/// where the maps are large enough.
///
/// ```
/// use nao_space::laws::{any_cnn_arch, skeletons};
/// use nao_space::network::NetworkPlan;
/// use proptest::test_runner::TestRunner;
/// TestRunner::default().run(&(any_cnn_arch(), skeletons()), |((_, arch), skeleton)| {
///     assert!(NetworkPlan::new(&arch, &skeleton).is_ok());
///     Ok(())
/// }).unwrap();
/// ```
pub fn skeletons() -> impl Strategy<Value = Skeleton> {
    let macro_part = (1..=3usize, 1..=16usize, stems((1..=3usize).boxed()));
    let data = ((1..=10usize, 1..=10usize), 1..=4usize, 1..=20usize);
    (macro_part, data, any::<bool>(), style()).prop_map(|(macro_part, data, auxiliary, style)| {
        let (cells_per_stage, half_width, stem) = macro_part;
        let ((quarter_height, quarter_width), channels, classes) = data;
        // The auxiliary head reads maps of a quarter of the image, which must be 8x8 or larger.
        let auxiliary = auxiliary && quarter_height.min(quarter_width) >= 8;
        let quarter = 4 << stem.halvings();
        let input = FeatureShape::new(quarter * quarter_height, quarter * quarter_width, channels);
        let skeleton = Skeleton::cifar10(cells_per_stage, 2 * half_width).for_data(input, classes);
        let (convention, reduction) = style;
        Skeleton { convention, reduction, stem, auxiliary, ..skeleton }
    })
}

fn style() -> impl Strategy<Value = (Convention, Reduction)> {
    (select(&CONVENTIONS[..]), select(vec![Reduction::Cell, Reduction::InPlace]))
}

/// Mostly CIFAR stems with these multipliers.
fn stems(multipliers: BoxedStrategy<usize>) -> impl Strategy<Value = Stem> {
    prop_oneof![3 => multipliers.prop_map(|multiplier| Stem::Cifar { multiplier }), 1 => Just(Stem::ImageNet)]
}

/// Skeletons of any numbers at all: zero, odd, small and absurdly large ones. Most have no plan.
///
/// ```
/// use nao_space::laws::any_skeletons;
/// use nao_space::network::{NetworkPlan, zoo_entry};
/// use proptest::test_runner::TestRunner;
/// let arch = &zoo_entry("NAONet-A").unwrap().arch;
/// TestRunner::default().run(&any_skeletons(), |skeleton| {
///     let _ = NetworkPlan::new(arch, &skeleton); // an error, perhaps, but no panic
///     Ok(())
/// }).unwrap();
/// ```
pub fn any_skeletons() -> impl Strategy<Value = Skeleton> {
    let usual = select(vec![1, 2, 3, 4, 6, 7, 8, 16, 24, 28, 30, 31, 32, 36, 40, 64]);
    let large = select(vec![100, 101, 2048, 4096, 1 << 20, usize::MAX / 2, usize::MAX]);
    let number = prop_oneof![1 => Just(0usize), 40 => usual, 2 => large, 2 => any::<usize>()];
    // Deep networks are slow to plan and teach nothing new.
    let depth = prop_oneof![1 => Just(0usize), 20 => 1..=3usize, 1 => Just(20), 1 => Just(usize::MAX)];
    let macro_part = (depth, number.clone(), stems(number.clone().boxed()));
    let data = (number.clone(), number.clone(), number.clone(), number);
    (macro_part, data, any::<bool>(), style()).prop_map(|(macro_part, data, auxiliary, style)| {
        let (cells_per_stage, width, stem) = macro_part;
        let (height, image_width, channels, classes) = data;
        let input = FeatureShape::new(height, image_width, channels);
        let skeleton = Skeleton::cifar10(cells_per_stage, width).for_data(input, classes);
        let (convention, reduction) = style;
        Skeleton { convention, reduction, stem, auxiliary, ..skeleton }
    })
}
