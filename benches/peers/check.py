"""Checks the networks here: numbers of parameters, shapes, and pools against loops over pixels."""

import itertools

import torch

from child import Network
from controller import Controller, mean_direction
from language import LanguageModel
from layers import Block
from plans import block, network_plan, pool, shape

# The published cells of NAONet-A: each node reads state x with one operation and state y with another.
NAONET_A = (
    [
        (0, "conv 3x3", 1, "avg 5x5 zeros"),
        (2, "conv 1x3+3x1", 1, "conv 3x3"),
        (0, "conv 1x1", 1, "conv 3x3"),
        (0, "conv 1x3+3x1", 4, "conv 3x3"),
        (1, "identity", 0, "conv 3x3"),
    ],
    [
        (0, "conv 3x3", 1, "avg 2x2 zeros"),
        (0, "conv 1x1", 0, "avg 3x3 zeros"),
        (0, "conv 1x7+7x1", 1, "max 2x2 zeros"),
        (0, "avg 3x3 zeros", 2, "conv 1x1"),
        (1, "max 3x3", 0, "conv 3x3"),
    ],
)
NAONET_A_PARAMETERS = 11_470_150
# Of the published recurrent cell with 850 units and 10,000 words.
NAO_RNN_PARAMETERS = 27_295_000

V1 = {
    "design": "cnn",
    "embedding": 48,
    "hidden": 96,
    "mlp_layers": 3,
    "mlp_hidden": 200,
    "encoder_dropout": 0.0,
    "mlp_dropout": 0.1,
    "decoder_dropout": 0.0,
    "trade_off": 0.8,
}
RNN_WS = {**V1, "design": "rnn-ws", "mlp_layers": 4, "encoder_dropout": 0.1, "mlp_dropout": 0.0}
V2 = {**V1, "embedding": 32, "hidden": 64, "mlp_layers": 0, "mlp_dropout": 0.0}
# Configuration, vocabulary, tokens per sequence, published number of parameters.
CONTROLLERS = [(V1, 12, 40, 279_533), (V2, 12, 40, 80_845), (V2, 17, 40, 81_650), (RNN_WS, 16, 22, 311_577)]


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


def check_network():
    assert parameters(Network(network_plan(NAONET_A, 6, 36, 32))) == NAONET_A_PARAMETERS
    network = Network(network_plan(NAONET_A, 1, 4, 16), drop_path_keep=0.8, dropout_keep=0.5)
    for mode in (True, False):
        logits, auxiliary = network.train(mode)(torch.randn(3, 3, 16, 16))
        assert logits.shape == (3, 10) and auxiliary is None and logits.isfinite().all()


def check_controllers():
    for config, vocabulary, length, published in CONTROLLERS:
        controller = Controller(config, vocabulary, 2)
        assert parameters(controller) == published, config
        sequences = torch.randint(1, vocabulary, (5, length))
        assert controller.loss(sequences, torch.rand(5)).isfinite()
        encoded = controller.eval().encoder(sequences)
        risen = controller.ascend(encoded, 5.0)
        assert risen.shape == (5, length // 2, config["hidden"])
        arch = mean_direction(risen)
        decoded = controller.decoder.greedy(arch, risen, length)
        # Forcing upon the decoder what it wrote must make it write the same.
        assert (controller.decoder(arch, risen, decoded).argmax(dim=-1) == decoded).all()


def check_language_models():
    activations = ["relu", "relu", "relu", "tanh", "relu", "relu", "relu", "relu", "relu", "relu", "identity"]
    nodes = list(zip((0, 0, 1, 3, 4, 4, 5, 1, 7, 1, 1), activations))
    none = dict.fromkeys(("input", "x", "hidden", "output"), 0.0)
    assert parameters(LanguageModel(nodes, 10_000, 850, none)) == NAO_RNN_PARAMETERS
    model = LanguageModel(nodes, 11, 6, none)
    words, memory = torch.randint(11, (7, 3)), torch.zeros(3, 6)
    logits, outputs = model(words, memory)
    assert logits.shape == (7, 3, 11) and outputs.shape == (7, 3, 6)
    # Read in two parts it is the same text.
    first, carried = model(words[:4], memory)
    second, _ = model(words[4:], carried[-1])
    assert torch.allclose(torch.cat([first, second]), logits, atol=1e-6)


def check_pools():
    x = torch.randn(2, 3, 8, 8)
    sizes = itertools.product((2, 3, 5), (1, 2))
    borders = [(before, after) for before in range(3) for after in range(3)]
    for (kernel, stride), (before, after) in itertools.product(sizes, borders):
        if max(before, after) >= kernel:
            continue
        for kind, border in itertools.product(("max", "min", "avg"), ("ignored", "zeros")):
            if (kind, border) == ("min", "zeros"):
                continue
            spec = pool(kernel, stride, before, after, border)
            plan = block(shape(8, 3), [{kind + "_pool": spec}])
            found, expected = Block(plan)(x), pooled(x, kind, spec)
            assert found.shape[2] == plan["output"]["height"], spec
            assert torch.allclose(found, expected, atol=1e-6), (kind, spec)


def pooled(x, kind, spec):
    """A pool window by window."""
    kernel, stride, before = spec["kernel"], spec["stride"], spec["before"]
    side = x.shape[2]
    reduce = {"max": torch.Tensor.amax, "min": torch.Tensor.amin, "avg": torch.Tensor.mean}[kind]
    outputs = (side + before + spec["after"] - kernel) // stride + 1
    rows = []
    for row, column in itertools.product(range(outputs), repeat=2):
        top, left = row * stride - before, column * stride - before
        inside = x[:, :, max(top, 0) : top + kernel, max(left, 0) : left + kernel].flatten(2)
        if spec["border"] == "zeros":
            zeros = inside.new_zeros(*inside.shape[:2], kernel * kernel - inside.shape[2])
            inside = torch.cat([inside, zeros], dim=2)
        rows.append(reduce(inside, dim=2))
    return torch.stack(rows, dim=2).unflatten(2, (outputs, outputs))


def main():
    torch.manual_seed(0)
    for check in (check_network, check_controllers, check_language_models, check_pools):
        check()
        print(f"{check.__name__.removeprefix('check_')}: as specified")


if __name__ == "__main__":
    main()
