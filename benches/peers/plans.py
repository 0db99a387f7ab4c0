"""Plans of networks for the self-check, laid out here from the specification rather than by our side."""


def network_plan(cells, repeat, width, side, classes=10):
    """Stem, three stages of `repeat` normal cells with reduction cells between, classifier.

    `cells`: the normal and the reduction cell, each a list of nodes `(x, op, y, op)`.
    """
    stem = block(shape(side, 3), [conv(3, 3 * width), norm(3 * width)])
    older = newer = stem["output"]
    planned = []
    for index in range(3 * repeat + 2):
        reduces = index in (repeat, 2 * repeat + 1)
        width *= 2 if reduces else 1
        cell = cell_plan(cells[reduces], older, newer, width, reduces)
        planned.append(cell)
        older, newer = newer, cell["output"]
    linear = {"linear": {"input": newer["channels"], "output": classes, "bias": True}}
    head = block(newer, ["global_average_pool", "dropout", linear])
    skeleton = {"input": shape(side, 3), "classes": classes}
    return {"skeleton": skeleton, "stem": [stem], "cells": planned, "auxiliary": None, "head": head}


def cell_plan(nodes, older, newer, width, reduces):
    if older["height"] != newer["height"]:
        first = block(older, ["relu", *reduction(older["channels"], width)])
    else:
        first = projection(older, width)
    states = [first, projection(newer, width)]
    shapes = [state["output"] for state in states]
    planned, read = [], set()
    for x, op_x, y, op_y in nodes:
        branches = []
        for state, op in ((x, op_x), (y, op_y)):
            read.add(state)
            stride = 2 if reduces and state < 2 else 1
            branches.append({"input": state, "block": block(shapes[state], operation(op, width, stride))})
        planned.append({"branches": branches})
        shapes.append(branches[0]["block"]["output"])
    pieces = []
    for state in sorted(set(range(len(shapes))) - read):
        layers = reduction(width, width) if reduces and state < 2 else []
        pieces.append({"state": state, "block": block(shapes[state], layers)})
    output = {**shapes[-1], "channels": width * len(pieces)}
    return {"calibration": states, "nodes": planned, "pieces": pieces, "output": output}


def operation(name, width, stride):
    """The layers of `identity`, `conv 3x3`, `conv 1x7+7x1`, `sep 5x5`, `max 2x2 zeros` and their like."""
    kind, *rest = name.split()
    if kind == "identity":
        return reduction(width, width) if stride == 2 else []
    kernel = int(rest[0][2])
    if kind == "conv" and "+" in rest[0]:
        across = conv(width, width, (1, kernel), (1, stride))
        down = conv(width, width, (kernel, 1), (stride, 1))
        return ["relu", across, norm(width), "relu", down, norm(width)]
    if kind == "conv":
        return ["relu", conv(width, width, (kernel, kernel), (stride, stride)), norm(width)]
    if kind == "sep":
        layers = []
        for step in (stride, 1):
            depthwise = conv(width, width, (kernel, kernel), (step, step), groups=width)
            layers += ["relu", depthwise, conv(width, width, (1, 1)), norm(width)]
        return layers
    before = (kernel - 1) // 2
    border = rest[1] if len(rest) > 1 else "ignored"
    return [{kind + "_pool": pool(kernel, stride, before, kernel - 1 - before, border)}]


def pool(kernel, stride, before, after, border):
    return {"kernel": kernel, "stride": stride, "before": before, "after": after, "border": border}


def conv(input, output, kernel=(3, 3), stride=(1, 1), groups=1):
    border = [(side - 1) // 2 for side in kernel]
    spec = {"input": input, "output": output, "kernel": list(kernel), "stride": list(stride)}
    return {"conv": {**spec, "before": border, "after": border, "dilation": 1, "groups": groups}}


def norm(channels):
    return {"batch_norm": {"channels": channels}}


def reduction(input, output):
    return [{"factorized_reduce": {"input": input, "output": output}}, norm(output)]


def projection(input, width):
    if input["channels"] == width:
        return block(input, [])
    return block(input, ["relu", conv(input["channels"], width, (1, 1)), norm(width)])


def shape(side, channels):
    return {"height": side, "width": side, "channels": channels}


def block(input, layers):
    planned, at = [], input
    for layer in layers:
        made = layer_output(layer, at)
        planned.append({"layer": layer, "input": at, "output": made})
        at = made
    return {"input": input, "layers": planned, "output": at}


def layer_output(layer, input):
    if layer == "global_average_pool":
        return shape(1, input["channels"])
    if isinstance(layer, str):
        return input
    ((kind, spec),) = layer.items()
    match kind:
        case "batch_norm":
            return input
        case "linear":
            return shape(1, spec["output"])
        case "factorized_reduce":
            return shape(input["height"] // 2, spec["output"])
        case "conv":
            # Both directions keep the size but for the stride.
            height, width = (-(-input[s] // stride) for s, stride in zip(("height", "width"), spec["stride"]))
            return {"height": height, "width": width, "channels": spec["output"]}
    padded = input["height"] + spec["before"] + spec["after"]
    return shape((padded - spec["kernel"]) // spec["stride"] + 1, input["channels"])
