"""The layers of a plan as PyTorch modules."""

import torch
import torch.nn.functional as F
from torch import nn

# After these a ReLU may write over its input: their backward passes do not read their own output.
OVERWRITABLE = {"batch_norm", "conv"}


class Block(nn.Sequential):
    """Layers one after another; none at all passes the input through."""

    def __init__(self, plan, dropout_keep=1.0):
        modules = []
        before = None
        for planned in plan["layers"]:
            kind, spec = layer_of(planned)
            modules += modules_of(kind, spec, planned["input"], planned["output"], before, dropout_keep)
            before = kind
        super().__init__(*modules)


def layer_of(planned):
    """The kind of a planned layer and its numbers: `"relu"` or `{"conv": {...}}` in JSON."""
    layer = planned["layer"]
    if isinstance(layer, str):
        return layer, {}
    ((kind, spec),) = layer.items()
    return kind, spec


def modules_of(kind, spec, input, output, before, dropout_keep):
    """One layer as one module, or two where a border needs a layer of its own."""
    match kind:
        case "relu":
            return [nn.ReLU(inplace=before in OVERWRITABLE)]
        case "conv":
            return convolution(spec)
        case "batch_norm":
            return [nn.BatchNorm2d(spec["channels"], eps=1e-5, momentum=0.1)]
        case "max_pool":
            return max_pool(spec)
        case "min_pool":
            return [Negated(*max_pool(spec))]
        case "avg_pool":
            return avg_pool(spec, input, output)
        case "factorized_reduce":
            return [FactorizedReduce(spec["input"], spec["output"])]
        case "zero":
            return [Zero(spec["stride"])]
        case "global_average_pool":
            return [GlobalAveragePool()]
        case "flatten":
            return [nn.Flatten()]
        case "dropout":
            return [nn.Dropout(1.0 - dropout_keep)] if dropout_keep < 1.0 else []
        case "linear":
            return [nn.Linear(spec["input"], spec["output"], bias=spec["bias"])]
    raise ValueError(f"unknown layer {kind!r}")


def convolution(spec):
    """A convolution without bias. A border that differs between the sides is added first."""
    symmetric = spec["before"] == spec["after"]
    conv = nn.Conv2d(
        spec["input"],
        spec["output"],
        spec["kernel"],
        stride=spec["stride"],
        padding=spec["before"] if symmetric else 0,
        dilation=spec["dilation"],
        groups=spec["groups"],
        bias=False,
    )
    if symmetric:
        return [conv]
    (top, left), (bottom, right) = spec["before"], spec["after"]
    return [nn.ZeroPad2d((left, right, top, bottom)), conv]


def max_pool(spec):
    """A maximum pool: cells outside of the map take no part, or compete as zeros."""
    kernel, stride, before = spec["kernel"], spec["stride"], spec["before"]
    if spec["border"] == "ignored" and own_padding_does(spec):
        return [nn.MaxPool2d(kernel, stride, padding=before)]
    outside = 0.0 if spec["border"] == "zeros" else float("-inf")
    return [padding(spec, outside), nn.MaxPool2d(kernel, stride)]


def avg_pool(spec, input, output):
    """A mean pool: cells outside of the map take no part, or count as zeros."""
    kernel, stride, zeros = spec["kernel"], spec["stride"], spec["border"] == "zeros"
    if own_padding_does(spec):
        return [nn.AvgPool2d(kernel, stride, padding=spec["before"], count_include_pad=zeros)]
    pool = [padding(spec, 0.0), nn.AvgPool2d(kernel, stride)]
    return pool if zeros else [*pool, InsideOnly(spec, input, output)]


def own_padding_does(spec):
    """Whether the `padding` argument of PyTorch's pools can say this border."""
    return spec["before"] == spec["after"] and 2 * spec["before"] <= spec["kernel"]


def padding(spec, value):
    before, after = spec["before"], spec["after"]
    return nn.ConstantPad2d((before, after, before, after), value)


class InsideOnly(nn.Module):
    """Turns means over padded windows into means over the pixels inside: one factor per output pixel."""

    def __init__(self, spec, input, output):
        super().__init__()
        inside = F.pad(torch.ones(1, 1, input["height"], input["width"]), 2 * [spec["before"], spec["after"]])
        share = F.avg_pool2d(inside, spec["kernel"], spec["stride"])
        assert share.shape[2:] == (output["height"], output["width"])
        self.register_buffer("factor", 1.0 / share, persistent=False)

    def forward(self, x):
        return x * self.factor


class Negated(nn.Sequential):
    """The layers on the negated map, negated: a minimum pool from a maximum pool."""

    def forward(self, x):
        return -super().forward(-x)


class FactorizedReduce(nn.Module):
    """Half the resolution: two 1x1 convolutions of stride 2, on even and on odd rows and columns."""

    def __init__(self, input, output):
        super().__init__()
        self.path1 = nn.Conv2d(input, output // 2, 1, stride=2, bias=False)
        self.path2 = nn.Conv2d(input, output // 2, 1, stride=2, bias=False)

    def forward(self, x):
        return torch.cat([self.path1(x), self.path2(x[:, :, 1:, 1:])], dim=1)


class Zero(nn.Module):
    """Zeros; the stride subsamples."""

    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return torch.zeros_like(x[:, :, :: self.stride, :: self.stride])


class GlobalAveragePool(nn.Module):
    """The mean over height and width."""

    def forward(self, x):
        return x.mean(dim=(2, 3))


def kaiming(module):
    """Kaiming normal weights, fan in, as the specification starts every matrix and kernel."""
    for parameter in module.parameters():
        if parameter.dim() > 1:
            nn.init.kaiming_normal_(parameter)
