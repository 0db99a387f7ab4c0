//! The search for kernels of high evidence, the marginal likelihood.

use rand_chacha::ChaCha8Rng;

use super::kernel::{Kernel, KernelForm};
use super::points::View;
use super::posterior::Posterior;

/// How hyper-parameters are found.
#[derive(Clone, Debug, PartialEq)]
pub struct EvidenceSearch {
    /// The forms that compete, with the number of random draws of each.
    pub draws: Vec<(KernelForm, usize)>,
    /// How many kernels are kept and averaged.
    pub keep: usize,
    /// How often the kept ones are jittered, two jitters each.
    pub refinements: usize,
}

impl EvidenceSearch {
    /// How many kernels are tried where no earlier fit gives any.
    pub fn kernels(&self) -> usize {
        let draws: usize = self.draws.iter().map(|&(_, draws)| draws).sum();
        draws + 2 * self.refinements * self.keep.min(draws)
    }

    /// The views that the competing kernels need.
    pub(super) fn views(&self, previous: &[Kernel]) -> Vec<View> {
        let forms = self.draws.iter().map(|&(form, _)| form).chain(previous.iter().map(|kernel| kernel.form));
        let needed: Vec<View> = forms.flat_map(|form| form.views().iter().copied()).collect();
        View::ALL.into_iter().filter(|view| needed.contains(view)).collect()
    }

    /// The posteriors of the highest evidence, the best first. `weigh` conditions on the observations with a kernel.
    pub(super) fn best(
        &self,
        previous: &[Kernel],
        rng: &mut ChaCha8Rng,
        weigh: impl Fn(Kernel) -> Option<Posterior>,
    ) -> Vec<Posterior> {
        let mut best = BestPosteriors { keep: self.keep, found: Vec::new() };
        for &(form, draws) in &self.draws {
            (0..draws).for_each(|_| best.offer(weigh(Kernel::draw(form, rng))));
        }
        for kernel in previous {
            best.offer(weigh(kernel.jittered(rng)));
            best.offer(weigh(kernel.clone()));
        }
        for _ in 0..self.refinements {
            let nearby: Vec<Kernel> = best
                .found
                .iter()
                .flat_map(|posterior| [posterior.kernel.jittered(rng), posterior.kernel.jittered(rng)])
                .collect();
            nearby.into_iter().for_each(|kernel| best.offer(weigh(kernel)));
        }
        best.found
    }
}

/// The best posteriors so far. The others are let go at once: each holds a matrix of all observations.
struct BestPosteriors {
    keep: usize,
    /// The best first; of equals the earlier.
    found: Vec<Posterior>,
}

impl BestPosteriors {
    fn offer(&mut self, posterior: Option<Posterior>) {
        let Some(posterior) = posterior else { return };
        let evidence = posterior.log_evidence;
        let place = self.found.partition_point(|known| known.log_evidence.total_cmp(&evidence).is_ge());
        self.found.insert(place, posterior);
        self.found.truncate(self.keep);
    }
}
