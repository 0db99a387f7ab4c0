//! Property tests of your own code: the laws of your spaces, and properties over random architectures and networks.

use nao_examples::stages::{Stage, StageSpace};
use nao_space::laws::{archs, cnn_archs, skeletons};
use nao_space::network::{NetworkPlan, Skeleton};
use nao_space::proptest::prelude::*;
use nao_space::{CnnSpace, Space, space_laws};

// All laws of a space, one test each.
space_laws!(one_stage, StageSpace::new(1));
space_laws!(five_stages, StageSpace::new(5));

proptest! {
    // Over architectures of your own space.
    #[test]
    fn a_wider_neighbour_exists_unless_all_are_widest(arch in archs(&StageSpace::new(3))) {
        let total = |arch: &[Stage]| arch.iter().map(|stage| stage.width).sum::<u32>();
        let wider = StageSpace::new(3).neighbours(&arch).iter().any(|other| total(other) > total(&arch));
        prop_assert_eq!(wider, arch.iter().any(|stage| stage.width < 64));
    }

    // Over image cells and networks, where your code takes those.
    #[test]
    fn twice_the_width_never_makes_a_cheaper_network(
        arch in cnn_archs(&CnnSpace::default()),
        skeleton in skeletons(),
    ) {
        let params = |width| {
            NetworkPlan::new(&arch, &Skeleton { width, ..skeleton }).unwrap().cost().params
        };
        prop_assert!(params(2 * skeleton.width) > params(skeleton.width));
    }
}
