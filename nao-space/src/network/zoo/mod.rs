//! Published architectures with their published figures, as data: one file per family.

mod amoebanet;
mod cells;
mod darts;
mod densenet;
mod enas;
mod entry;
mod nao;
mod nasnet;
mod pnasnet;
mod recurrent;
mod resnext;
mod unpublished;

use std::sync::LazyLock;

pub use densenet::DenseNetBc;
pub use entry::{Published, UnpublishedCells, ZooEntry, ZooGraph, ZooNetwork};
pub use recurrent::{
    PublishedPerplexity, RecurrentEntry, UnknownRecurrentEntry, recurrent_zoo, recurrent_zoo_entry,
    recurrent_zoo_names,
};
pub use resnext::ResNext29;

/// Why the zoo has no cells of a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ZooError {
    /// A name that nothing has.
    #[error("no architecture `{name}` in the zoo; known are {}", names().join(", "))]
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// An architecture of which only figures are published.
    #[error(
        "the cells of {name} are not published in a form that can be read: {known} \
         Its published figures are in the table of results; cells of your own can be given as a string or JSON"
    )]
    Unpublished {
        /// The architecture.
        name: &'static str,
        /// What is known of its cells.
        known: &'static str,
    },
    /// A network that is not made of cells.
    #[error("{name} is not made of cells; only its figures and cost are known here")]
    NotCells {
        /// The network.
        name: &'static str,
    },
}

/// The names of all published cells.
fn names() -> Vec<&'static str> {
    zoo().iter().map(|entry| entry.name).collect()
}

/// All published cells: to add one, add it to its family.
pub fn zoo() -> &'static [ZooEntry] {
    static ZOO: LazyLock<Vec<ZooEntry>> = LazyLock::new(|| {
        [nao::entries(), nasnet::entries(), amoebanet::entries(), pnasnet::entries(), enas::entries()]
            .into_iter()
            .chain([darts::entries()])
            .flatten()
            .collect()
    });
    &ZOO
}

/// All published networks: hand-made ones, those whose cells are unknown, and all of [`zoo`].
pub fn zoo_networks() -> &'static [ZooNetwork] {
    static NETWORKS: LazyLock<Vec<ZooNetwork>> = LazyLock::new(|| {
        let graphs = [densenet::entry(), resnext::entry()].map(ZooNetwork::Graph);
        let unpublished = unpublished::entries().map(ZooNetwork::Unpublished);
        graphs.into_iter().chain(unpublished).chain(zoo().iter().map(ZooNetwork::Cells)).collect()
    });
    &NETWORKS
}

/// The published cells of that name, whatever its case.
///
/// ```
/// use nao_space::network::zoo_entry;
/// assert_eq!(zoo_entry("naonet-a")?.name, "NAONet-A");
/// assert!(zoo_entry("NASNet-B").unwrap_err().to_string().contains("not published"));
/// # Ok::<(), nao_space::network::ZooError>(())
/// ```
///
/// # Errors
/// When nothing has that name (lists the names), when the cells are not published (says what is known), or when
/// the network is not made of cells.
pub fn zoo_entry(name: &str) -> Result<&'static ZooEntry, ZooError> {
    let found = zoo_networks().iter().find(|network| network.name().eq_ignore_ascii_case(name));
    match found {
        Some(ZooNetwork::Cells(entry)) => Ok(entry),
        Some(ZooNetwork::Graph(graph)) => Err(ZooError::NotCells { name: graph.name }),
        Some(ZooNetwork::Unpublished(cells)) => {
            Err(ZooError::Unpublished { name: cells.name, known: cells.known })
        }
        None => Err(ZooError::Unknown { name: name.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Space;
    use crate::network::{FeatureShape, NetworkPlan, Skeleton};

    #[test]
    fn names_are_found_and_unknown_ones_answered_with_the_list() {
        let mut distinct = names();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), 14);
        for name in names() {
            assert_eq!(zoo_entry(&name.to_lowercase()).unwrap().name, name);
        }
        assert!(zoo_entry("NAONet-C").unwrap_err().to_string().contains("NAONet-V2"));
        for name in ["NASNet-B", "nasnet-c", "Hier-EA", "Random-WS"] {
            let message = zoo_entry(name).unwrap_err().to_string();
            assert!(message.contains("not published"), "{message}");
        }
        for name in ["DenseNet-BC", "ResNeXt-29"] {
            assert!(zoo_entry(name).unwrap_err().to_string().contains("not made of cells"));
        }
    }

    #[test]
    fn every_entry_is_of_its_space_and_has_a_network_for_each_count() {
        for entry in zoo() {
            entry.space.check(&entry.arch).unwrap();
            assert_eq!(entry.space.parse(&entry.space.format(&entry.arch)).as_ref(), Ok(&entry.arch));
            for figure in &entry.published {
                let plan = entry.plan(&figure.skeleton.expect(figure.setting)).unwrap();
                assert!(plan.cost().params > 1_000_000, "{}", figure.setting);
            }
        }
    }

    /// docs/specification.md, e.5, counted there with the authors' own code: without and with auxiliary head.
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
