//! A published, trained network on real images: ResNet8 of MLPerf Tiny (78,000 parameters, Apache-2.0) against its
//! reference logits on the first 1,000 test images of CIFAR-10. It is no stack of cells, so it is described as a graph.
//!
//! Its convolutions have biases and its norms another epsilon. Ours have neither: a bias moves the running mean of the
//! norm after the convolution, the epsilon its running variance. The two shortcuts have no norm; theirs is one that
//! only adds the bias.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Read;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use nao_child::names::{graph_tensor_names, load_tensors};
use nao_child::network::{GraphNetwork, Pass};
use nao_child::op::norm::EPSILON;
use nao_space::network::{BlockRole, ConvSpec, FeatureShape, GraphError, GraphPlan, GraphValue, Join, Layer};
use nao_space::seed::rng_for;
use nao_tests::golden::{Differences, data_folder};
use safetensors::SafeTensors;

const IMAGES: usize = 1000;
const PIXELS: usize = 3 * 32 * 32;

/// The epsilon of its norms.
const THEIR_EPSILON: f64 = 0.001;

/// What a pair of layers of the graph, convolution and norm, is called in the file.
struct Source {
    conv: &'static str,
    norm: Option<&'static str>,
}

/// The description, built alongside the names of its weights.
struct Description {
    plan: GraphPlan,
    /// Per node and convolution layer.
    sources: Vec<(usize, usize, Source)>,
}

impl Description {
    /// A node of convolutions with norms, a ReLU between two of them.
    fn convs(
        &mut self,
        input: GraphValue,
        convs: &[(ConvSpec, Source)],
        relu_at_the_end: bool,
    ) -> Result<GraphValue, GraphError> {
        let mut layers = Vec::new();
        for (index, (spec, source)) in convs.iter().enumerate() {
            if index > 0 {
                layers.push(Layer::Relu);
            }
            let source = Source { conv: source.conv, norm: source.norm };
            self.sources.push((self.plan.nodes().len(), layers.len(), source));
            layers.extend([Layer::Conv(*spec), Layer::BatchNorm { channels: spec.output }]);
        }
        if relu_at_the_end {
            layers.push(Layer::Relu);
        }
        self.plan.add(input, BlockRole::Layers, layers)
    }

    fn sum(&mut self, maps: &[GraphValue]) -> Result<GraphValue, GraphError> {
        self.plan.join(Join::Sum, maps, BlockRole::Layers, [Layer::Relu])
    }
}

/// "Same" padding: of the three rows that a kernel needs, stride 2 on an even map leaves one, at the end.
fn conv3(input: usize, output: usize, stride: usize) -> ConvSpec {
    let before = if stride == 2 { 0 } else { 1 };
    ConvSpec {
        stride: [stride; 2],
        before: [before; 2],
        after: [1; 2],
        ..ConvSpec::same(input, output, [3, 3])
    }
}

fn source(conv: &'static str, norm: &'static str) -> Source {
    Source { conv, norm: Some(norm) }
}

fn resnet8() -> Result<Description, GraphError> {
    let plan = GraphPlan::new(FeatureShape::new(32, 32, 3));
    let mut net = Description { plan, sources: Vec::new() };
    let images = net.plan.images();
    let stem = net.convs(images, &[(conv3(3, 16, 1), source("conv2d", "batch_normalization"))], true)?;
    let first = [
        (conv3(16, 16, 1), source("conv2d_1", "batch_normalization_1")),
        (conv3(16, 16, 1), source("conv2d_2", "batch_normalization_2")),
    ];
    let branch = net.convs(stem, &first, false)?;
    let stage_1 = net.sum(&[stem, branch])?;
    let second = [
        (conv3(16, 32, 2), source("conv2d_3", "batch_normalization_3")),
        (conv3(32, 32, 1), source("conv2d_4", "batch_normalization_4")),
    ];
    let stage_2 = shortcut_stage(&mut net, stage_1, &second, "conv2d_5")?;
    let third = [
        (conv3(32, 64, 2), source("conv2d_6", "batch_normalization_5")),
        (conv3(64, 64, 1), source("conv2d_7", "batch_normalization_6")),
    ];
    let stage_3 = shortcut_stage(&mut net, stage_2, &third, "conv2d_8")?;
    let linear = Layer::Linear { input: 64, output: 10, bias: true };
    net.plan.add(stage_3, BlockRole::Head, [Layer::GlobalAveragePool, linear])?;
    Ok(net)
}

/// A stage that halves the map, its shortcut a 1x1 convolution of stride 2.
fn shortcut_stage(
    net: &mut Description,
    input: GraphValue,
    convs: &[(ConvSpec, Source)],
    shortcut: &'static str,
) -> Result<GraphValue, GraphError> {
    let (first, _) = &convs[0];
    let spec = ConvSpec { stride: [2; 2], ..ConvSpec::same(first.input, first.output, [1, 1]) };
    let branch = net.convs(input, convs, false)?;
    let side = net.convs(input, &[(spec, Source { conv: shortcut, norm: None })], false)?;
    net.sum(&[side, branch])
}

/// The weights under the names of our graph, in PyTorch's layouts.
fn weights(net: &Description, path: &Path) -> BTreeMap<String, TensorData> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
    let read: HashMap<String, (Vec<usize>, Vec<f32>)> = file
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            let values = view.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
            (name, (view.shape().to_vec(), values))
        })
        .collect();
    let values = |layer: &str, part: &str| {
        let found = read.get(&format!("{layer}.{part}"));
        found.unwrap_or_else(|| panic!("no {layer}.{part} among {:?}", read.keys())).clone()
    };
    let mut weights = BTreeMap::new();
    let mut put = |name: String, shape: Vec<usize>, values: Vec<f32>| {
        weights.insert(name, TensorData::new(values, shape));
    };
    for (node, layer, Source { conv, norm }) in &net.sources {
        let (shape, kernel) = values(conv, "kernel");
        let [height, width, input, output] = shape[..] else { panic!("{conv}: {shape:?}") };
        let mut turned = Vec::with_capacity(kernel.len());
        for o in 0..output {
            for i in 0..input {
                turned.extend((0..height * width).map(|at| kernel[(at * input + i) * output + o]));
            }
        }
        put(format!("nodes.{node}.{layer}.weight"), vec![output, input, height, width], turned);
        let (_, bias) = values(conv, "bias");
        let place = format!("nodes.{node}.{}", layer + 1);
        let [scale, shift, mean, variance] = match norm {
            Some(norm) => {
                ["gamma", "beta", "moving_mean", "moving_variance"].map(|part| values(norm, part).1)
            }
            None => [
                vec![1.0; output],
                vec![0.0; output],
                vec![0.0; output],
                vec![(1.0 - THEIR_EPSILON) as f32; output],
            ],
        };
        let mean = mean.iter().zip(&bias).map(|(mean, bias)| mean - bias).collect();
        let widened = variance.iter().map(|v| (f64::from(*v) + THEIR_EPSILON - EPSILON) as f32).collect();
        for (part, values) in
            [("weight", scale), ("bias", shift), ("running_mean", mean), ("running_var", widened)]
        {
            put(format!("{place}.{part}"), vec![output], values);
        }
    }
    let head = net.plan.nodes().len() - 1;
    let (shape, kernel) = values("dense", "kernel");
    let [input, output] = shape[..] else { panic!("dense: {shape:?}") };
    let turned =
        (0..output).flat_map(|o| (0..input).map(move |i| i * output + o)).map(|at| kernel[at]).collect();
    put(format!("nodes.{head}.1.weight"), vec![output, input], turned);
    put(format!("nodes.{head}.1.bias"), vec![output], values("dense", "bias").1);
    weights
}

/// Rows of index, label and ten logits.
fn reference(path: &Path) -> (Vec<u8>, Vec<f32>) {
    let file = fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).expect("a gzip file of text");
    let (mut labels, mut logits) = (Vec::new(), Vec::new());
    for line in text.lines().skip(1) {
        let mut fields = line.split(',').skip(1);
        labels.push(fields.next().expect("a label").parse().expect("a number"));
        logits.extend(fields.map(|field| field.parse::<f32>().expect("a number")));
    }
    (labels, logits)
}

fn best(row: &[f32]) -> usize {
    row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).expect("ten logits").0
}

#[test]
#[cfg_attr(not(data), ignore = "needs NAO_DATA, the folder of the data sets")]
fn golden_resnet8_on_cifar10() {
    let data = data_folder();
    let net = resnet8().expect("the shapes fit");
    let device = Device::flex();
    let network = GraphNetwork::new(&net.plan, &mut rng_for(1, "weights", 0), &device);
    let weights = weights(&net, &data.join("resnet8-cifar10/resnet8.safetensors"));
    let network = load_tensors(network, &graph_tensor_names(&net.plan), weights).expect("the names fit");

    let packed = fs::read(data.join("cifar10/exact_test_batch_first1000.bin.zst")).expect("the images");
    let records = zstd::decode_all(packed.as_slice()).expect("a zstd file");
    assert_eq!(records.len(), IMAGES * (1 + PIXELS));
    let (labels, expected) = reference(&data.join("resnet8-cifar10/logits_exact_test_first1000.csv.gz"));
    let mut found = Vec::with_capacity(expected.len());
    for (index, batch) in records.chunks(100 * (1 + PIXELS)).enumerate() {
        let images = batch.chunks(1 + PIXELS).enumerate().flat_map(|(at, record)| {
            assert_eq!(record[0], labels[100 * index + at], "the labels of images and logits agree");
            record[1..].iter().map(|&pixel| f32::from(pixel))
        });
        let images = TensorData::new(images.collect::<Vec<f32>>(), [100, 3, 32, 32]);
        let logits = network.forward(Tensor::from_data(images, &device), &mut Pass::Eval);
        found.extend(logits.into_data().iter::<f32>());
    }
    let mut differences = Differences::default();
    differences.forward("logits", &found, &expected);
    differences.print("resnet8");
    let right =
        found.chunks(10).zip(&labels).filter(|(row, label)| best(row) == usize::from(**label)).count();
    println!("resnet8: {right} of {IMAGES} right");
    assert_eq!(right, 881, "88.1 % are published");
}
