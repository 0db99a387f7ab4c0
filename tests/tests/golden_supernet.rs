//! Supernets against the authors' own code: what every stored architecture says in training and when it is judged, its
//! loss, and the gradients of exactly the parameters that it uses.

use std::collections::BTreeMap;

use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use nao_child::names::NameConvention;
use nao_child::network::{Pass, TrainPass};
use nao_child::op::loss::{cross_entropy, target_rows};
use nao_child::supernet::{Norms, Purpose, Supernet};
use nao_space::network::{FeatureShape, Skeleton};
use nao_space::seed::rng_for;
use nao_space::{CnnSpace, OpSet, Space};
use nao_tests::golden::{self, Differences, Golden};
use serde_json::Value;

const CLASSES: usize = 10;

struct Shared {
    golden: Golden,
    supernet: Supernet,
    images: Tensor<4>,
    labels: Vec<u8>,
    device: Device,
}

impl Shared {
    fn open(name: &str) -> Self {
        let golden = Golden::open(&format!("supernet/{name}"));
        let device = Device::flex();
        let number = |key: &str| golden.metadata(key).parse::<usize>().expect("a number");
        let (form, set) = match golden.metadata("source") {
            "NAO_V1" => (NameConvention::V1, OpSet::enas_5()),
            "NAO_V2" if name.contains("middle") => (NameConvention::V2, OpSet::v2_10()),
            "NAO_V2" => (NameConvention::V2, OpSet::enas_5()),
            other => panic!("unknown source {other}"),
        };
        let space = CnnSpace::new(number("nodes"), set).expect("a space");
        let side = number("input_hw");
        let skeleton = Skeleton::cifar10(number("N"), number("channels"))
            .for_data(FeatureShape::new(side, side, 3), CLASSES);
        let mut supernet = Supernet::new(&space, &skeleton, form, &mut rng_for(1, "weights", 0), &device)
            .expect("a supernet");
        assert_eq!(supernet.trainable_values() as usize, number("params_total"), "{name}");
        let tensors = golden.names_under("param/").into_iter().map(|name| {
            let values = golden.floats(&format!("param/{name}"));
            (name, TensorData::new(values.values.clone(), values.shape.clone()))
        });
        supernet.load(tensors.collect()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let x = golden.floats("in/x");
        let images = Tensor::from_data(TensorData::new(x.values.clone(), x.shape.clone()), &device);
        let labels = golden.integers("in/y").values.iter().map(|&label| label as u8).collect();
        Shared { golden, supernet, images, labels, device }
    }

    fn check(&self, index: usize, arch: &str, differences: &mut Differences) -> usize {
        let arch = self.supernet.space().parse(arch).expect("an architecture");
        let expected = |key: &str| &self.golden.floats(&format!("arch{index}/{key}")).values;

        let judged = self.supernet.child(&arch, Purpose::Infer).expect("an architecture of the space");
        for (norms, key) in
            [(Norms::BatchInCells, "eval_bn_train/logits"), (Norms::Running, "eval_plain/logits")]
        {
            let logits = floats(judged.judge(self.images.clone(), norms));
            differences.forward(key, &logits, expected(key));
        }

        let child = self.supernet.child(&arch, Purpose::Train).expect("an architecture of the space");
        let device = self.device.clone().autodiff();
        let mut statistics = Vec::new();
        let mut pass = Pass::Train(TrainPass::without_dropping(&mut statistics));
        let images = Tensor::from_inner(self.images.clone());
        let logits = child.forward(images, &mut pass).main;
        differences.forward("train logits", &floats(logits.clone()), expected("train/logits"));
        let loss = cross_entropy(logits, target_rows(&self.labels, CLASSES, 0.0, &device));
        differences.forward("loss", &floats(loss.clone()), expected("train/loss"));
        let gradients = GradientsParams::from_grads(loss.backward(), &child);
        let gradients = self.supernet.named_gradients(&child, &gradients);
        let names = self.golden.names_under(&format!("arch{index}/grad/"));
        assert_eq!(
            gradients.keys().cloned().collect::<Vec<_>>(),
            names,
            "exactly what the architecture uses has a gradient"
        );
        let values: BTreeMap<&str, Vec<f32>> = gradients
            .iter()
            .map(|(name, gradient)| (name.as_str(), gradient.iter::<f32>().collect()))
            .collect();
        let of = |name: &str| expected(&format!("grad/{name}"));
        let largest = names.iter().flat_map(|name| of(name)).fold(0f32, |most, g| most.max(g.abs()));
        for (name, found) in &values {
            differences.within("gradients", found, of(name), 1e-4 * f64::from(largest).max(1.0));
        }
        let norm = values.values().flatten().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt() as f32;
        differences.forward("gradient norm", &[norm], expected("train/grad_norm"));
        names.len()
    }
}

fn floats<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[test]
#[cfg_attr(not(golden), ignore = "needs NAO_GOLDEN, the folder of the complete golden set")]
fn golden_supernets() {
    let (mut files, mut architectures) = (0, 0);
    for name in
        ["v1_ws", "v1_ws_identity", "v1_ws_loose_inputs", "v2_ws_small", "v2_ws_middle", "v2_ws_loose_inputs"]
    {
        let shared = Shared::open(name);
        let list =
            |key: &str| -> Vec<Value> { serde_json::from_str(shared.golden.metadata(key)).expect("a list") };
        let used: Vec<u64> = list("params_with_grad").iter().filter_map(Value::as_u64).collect();
        let mut differences = Differences::default();
        for (index, arch) in list("archs").iter().enumerate() {
            let found = shared.check(index, arch.as_str().expect("a text"), &mut differences);
            assert_eq!(found as u64, used[index], "{name}, architecture {index}");
            architectures += 1;
        }
        differences.print(name);
        files += 1;
    }
    println!("supernet: {files} files, {architectures} architectures");
}

/// Trainable values and running statistics of the tensors themselves, for every supernet of `params.json`.
#[test]
#[cfg_attr(not(golden), ignore = "needs NAO_GOLDEN, the folder of the complete golden set")]
fn golden_supernet_tensors_are_counted() {
    let path = golden::folder().join("json/params.json");
    let file: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("the counts")).expect("JSON");
    let rows = file["supernets"].as_array().expect("a list");
    for row in rows {
        let number = |key: &str| row[key].as_u64().expect("a number") as usize;
        let form = if row["source"] == "NAO_V1" { NameConvention::V1 } else { NameConvention::V2 };
        let set = if row["search_space"] == "middle" { OpSet::v2_10() } else { OpSet::enas_5() };
        let space = CnnSpace::new(number("nodes"), set).expect("a space");
        let skeleton = Skeleton::cifar10(number("N"), number("F"))
            .with_auxiliary(row["use_aux_head"].as_bool().expect("yes or no"));
        let rng = &mut rng_for(1, "weights", 0);
        let supernet = Supernet::new(&space, &skeleton, form, rng, &Device::flex()).expect("a supernet");
        assert_eq!(supernet.trainable_values() as usize, number("total"), "{row}");
        let statistics = supernet.tensor_names().filter(|name| !name.trainable);
        let buffers: usize = statistics.map(|name| name.shape.iter().product::<usize>()).sum();
        assert_eq!(buffers, number("bn_buffers"), "{row}");
    }
    println!("params.json: tensors of {} supernets", rows.len());
}
