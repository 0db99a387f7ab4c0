//! Published architectures with their published figures, as data.

use std::sync::LazyLock;

use serde::Serialize;

use super::skeleton::Skeleton;
use crate::arch::CnnArch;
use crate::op_set::OpSet;
use crate::space::Space;
use crate::spaces::CnnSpace;

/// The names of the zoo.
pub const ZOO_NAMES: [&str; 3] = ["NAONet-A", "NAONet-B", "NAONet-V2"];

/// A published architecture.
#[derive(Clone, Debug)]
pub struct ZooEntry {
    /// Its name.
    pub name: &'static str,
    /// The space in whose notation it was published.
    pub space: CnnSpace,
    /// The cells.
    pub arch: CnnArch,
    /// The network of the first published figure.
    pub skeleton: Skeleton,
    /// What was published about it.
    pub published: Vec<Published>,
}

/// One published figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Published {
    /// The data set and split.
    pub data: &'static str,
    /// Test error in per cent.
    pub error_percent: f64,
    /// Parameters in millions, as printed; `None` where none are.
    pub params_millions: Option<f64>,
    /// Network and training.
    pub setting: &'static str,
    /// Where it was published.
    pub source: &'static str,
}

/// An unknown zoo name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no architecture `{name}` in the zoo; known are {}", ZOO_NAMES.join(", "))]
pub struct UnknownZooName {
    /// The name that was asked for.
    pub name: String,
}

/// All entries, in the order of [`ZOO_NAMES`].
pub fn zoo() -> &'static [ZooEntry] {
    static ZOO: LazyLock<Vec<ZooEntry>> = LazyLock::new(|| vec![naonet_a(), naonet_b(), naonet_v2()]);
    &ZOO
}

/// The entry of that name, whatever its case.
///
/// # Errors
/// When there is none: lists the names.
pub fn zoo_entry(name: &str) -> Result<&'static ZooEntry, UnknownZooName> {
    let found = zoo().iter().find(|entry| entry.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| UnknownZooName { name: name.to_owned() })
}

fn entry(name: &'static str, ops: OpSet, text: &str, published: Vec<Published>) -> ZooEntry {
    let space = CnnSpace::new(5, ops).expect("five nodes are allowed");
    let arch = space.parse(text).expect("published strings are well formed");
    ZooEntry { name, space, arch, skeleton: Skeleton::cifar10(6, 36), published }
}

/// The cell of the PyTorch port. It differs from the TensorFlow DAG in the third reduction node (spec a.6).
fn naonet_a() -> ZooEntry {
    let text = "0 7 1 15 2 8 1 7 0 6 1 7 0 8 4 7 1 5 0 7 0 7 1 13 0 6 0 14 0 9 1 10 0 14 2 6 1 11 0 7";
    let figure = |error_percent, params_millions, setting, source| Published {
        data: "CIFAR-10 test",
        error_percent,
        params_millions,
        setting,
        source,
    };
    let published = vec![
        figure(2.48, None, "N=6 F=36, cutout 16", "authors' PyTorch repository, V1"),
        figure(1.93, None, "N=6 F=128, cutout 16", "authors' PyTorch repository, V1"),
        figure(2.11, Some(128.0), "N=6 F=128, cutout, TensorFlow definition", "Luo et al., NeurIPS 2018"),
        Published {
            data: "ImageNet top-1",
            error_percent: 25.7,
            params_millions: Some(11.35),
            setting: "N=4 F=42",
            source: "authors' PyTorch repository, V1",
        },
    ];
    entry("NAONet-A", OpSet::paper_11(), text, published)
}

/// Found with weight sharing; V1 small ids.
fn naonet_b() -> ZooEntry {
    let text = "0 1 0 2 0 1 2 2 1 3 0 2 4 0 1 3 2 1 0 3 1 1 1 0 2 1 2 4 1 0 2 3 3 1 2 2 0 2 0 2";
    let published = vec![Published {
        data: "CIFAR-10 test",
        error_percent: 2.93,
        params_millions: None,
        setting: "N=6 F=36, cutout 16",
        source: "authors' PyTorch repository, V1",
    }];
    entry("NAONet-B", OpSet::enas_5(), text, published)
}

/// NAO-V2's cell; V2 small ids, which are V1's.
fn naonet_v2() -> ZooEntry {
    let text = "1 1 0 1 2 4 0 0 0 0 2 1 0 0 0 2 0 3 0 0 0 2 0 2 2 2 1 0 0 0 0 1 0 0 0 3 0 0 0 1";
    let published = vec![
        Published {
            data: "CIFAR-10 test",
            error_percent: 2.57,
            params_millions: None,
            setting: "N=6 F=36, cutout 16",
            source: "authors' PyTorch repository, V2",
        },
        Published {
            data: "ImageNet top-1",
            error_percent: 25.5,
            params_millions: None,
            setting: "N=4 F=52",
            source: "authors' PyTorch repository, V2",
        },
    ];
    entry("NAONet-V2", OpSet::enas_5(), text, published)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{FeatureShape, NetworkPlan};

    #[test]
    fn names_are_found_and_unknown_ones_answered_with_the_list() {
        for name in ZOO_NAMES {
            assert_eq!(zoo_entry(&name.to_lowercase()).unwrap().name, name);
        }
        assert!(zoo_entry("NAONet-C").unwrap_err().to_string().contains("NAONet-V2"));
    }

    /// Spec e.5, counted there with the authors' own code: N, F, without and with auxiliary head.
    #[test]
    fn parameters_agree_with_the_authors_code() {
        let counts: [(&str, usize, usize, u64, u64); 10] = [
            ("NAONet-A", 6, 36, 11_470_150, 11_946_576),
            ("NAONet-A", 6, 64, 36_186_058, 36_719_828),
            ("NAONet-A", 6, 128, 144_576_394, 145_241_236),
            ("NAONet-B", 6, 36, 2_921_302, 3_379_296),
            ("NAONet-B", 5, 36, 2_492_902, 2_950_896),
            ("NAONet-B", 6, 64, 8_766_666, 9_267_668),
            ("NAONet-B", 6, 128, 33_868_170, 34_467_476),
            ("NAONet-V2", 6, 36, 4_387_654, 4_864_080),
            ("NAONet-V2", 6, 64, 13_264_074, 13_797_844),
            ("NAONet-V2", 6, 128, 51_505_546, 52_170_388),
        ];
        let cifar = counts.map(|(name, cells, width, without, with)| {
            (name, Skeleton::cifar10(cells, width), without, with)
        });
        let imagenet = [
            ("NAONet-A", Skeleton::imagenet(4, 42), 11_353_831, 12_603_855),
            ("NAONet-V2", Skeleton::imagenet(4, 52), 7_026_850, 8_297_354),
            ("NAONet-A", Skeleton::imagenet(4, 48), 14_741_536, 16_003_848),
            ("NAONet-B", Skeleton::imagenet(4, 48), 4_142_944, 5_380_680),
            ("NAONet-V2", Skeleton::imagenet(4, 48), 6_077_344, 7_339_656),
        ];
        for (name, skeleton, without, with) in cifar.into_iter().chain(imagenet) {
            let skeleton = skeleton.with_auxiliary(true);
            let plan = NetworkPlan::new(&zoo_entry(name).unwrap().arch, &skeleton).unwrap();
            assert_eq!(plan.cost().params, without, "{name} {skeleton:?}");
            assert_eq!(plan.cost_with_auxiliary().params, with, "{name} {skeleton:?}, with head");
        }
        let small = Skeleton::imagenet(1, 4).for_data(FeatureShape::new(128, 128, 3), 10);
        let plan = NetworkPlan::new(&zoo_entry("NAONet-A").unwrap().arch, &small).unwrap();
        assert_eq!(plan.cost().params, 34_996);
    }
}
