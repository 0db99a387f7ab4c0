"""Child networks in PyTorch, built from the plan that our side writes as JSON."""

import torch
import torch.nn.functional as F
from torch import nn

from layers import Block, kaiming


class Branch(nn.Module):
    """An operation on an earlier state of the cell, with drop-path in training."""

    def __init__(self, plan, keep):
        super().__init__()
        self.state = plan["input"]
        self.block = Block(plan["block"])
        self.keep = keep

    def forward(self, states):
        y = self.block(states[self.state])
        if not self.training or self.keep >= 1.0:
            return y
        mask = y.new_empty(y.shape[0], 1, 1, 1).bernoulli_(self.keep).div_(self.keep)
        # Without layers `y` is the state itself, which others read.
        return y.mul_(mask) if len(self.block) else y * mask


class Cell(nn.Module):
    """Calibrated inputs, nodes of two branches each, and the concatenation of some states."""

    def __init__(self, plan, keep):
        super().__init__()
        self.calibration = nn.ModuleList(Block(block) for block in plan["calibration"])
        self.nodes = nn.ModuleList(
            nn.ModuleList(Branch(branch, keep) for branch in node["branches"]) for node in plan["nodes"]
        )
        self.states = [piece["state"] for piece in plan["pieces"]]
        self.pieces = nn.ModuleList(Block(piece["block"]) for piece in plan["pieces"])

    def forward(self, older, newer):
        states = [calibrate(x) for calibrate, x in zip(self.calibration, (older, newer))]
        for x, y in self.nodes:
            states.append(x(states) + y(states))
        pieces = [piece(states[state]) for state, piece in zip(self.states, self.pieces)]
        return torch.cat(pieces, dim=1) if len(pieces) > 1 else pieces[0]


class Network(nn.Module):
    """A whole network: stem, cells, auxiliary head in training, classifier."""

    def __init__(self, plan, drop_path_keep=1.0, dropout_keep=1.0):
        super().__init__()
        self.stem = nn.ModuleList(Block(block) for block in plan["stem"])
        self.cells = nn.ModuleList(Cell(cell, drop_path_keep) for cell in plan["cells"])
        auxiliary = plan["auxiliary"]
        self.auxiliary = Block(auxiliary["block"], dropout_keep) if auxiliary else None
        self.auxiliary_after = auxiliary["after_cell"] if auxiliary else None
        self.head = Block(plan["head"], dropout_keep)
        kaiming(self)

    def forward(self, images):
        """Logits, and in training those of the auxiliary head, if there is one."""
        older = newer = self.stem[0](images)
        for block in self.stem[1:]:
            older, newer = newer, block(newer)
        auxiliary = None
        for index, cell in enumerate(self.cells):
            older, newer = newer, cell(older, newer)
            if self.training and index == self.auxiliary_after:
                auxiliary = self.auxiliary(newer)
        return self.head(newer), auxiliary


def prepare(workload, layout):
    """A step of training, or an inference pass, on one fixed random batch. `layout`: of maps and kernels."""
    plan = workload["plan"]
    network = Network(plan, workload["drop_path_keep"], workload["dropout_keep"]).to(memory_format=layout)
    images = random_maps(workload["batch"], plan["skeleton"]["input"], layout)
    if workload["mode"] == "infer":
        return inference(network, images)
    labels = torch.randint(plan["skeleton"]["classes"], (workload["batch"],))
    return training_step(network, images, labels, workload)


def inference(network, images):
    network.eval()

    @torch.inference_mode()
    def run():
        logits, _ = network(images)
        return logits.tolist(), logits.argmax(dim=1).tolist()

    return run


def training_step(network, images, labels, workload):
    network.train()
    parameters = list(network.parameters())
    # Of PyTorch's three forms of SGD the fused one is the quickest on a CPU.
    optimizer = torch.optim.SGD(
        parameters,
        lr=workload["learning_rate"],
        momentum=workload["momentum"],
        nesterov=workload["nesterov"],
        weight_decay=workload["weight_decay"],
        fused=True,
    )
    smoothing = workload["label_smoothing"]

    def run():
        logits, auxiliary = network(images)
        loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
        if auxiliary is not None:
            side = F.cross_entropy(auxiliary, labels, label_smoothing=smoothing)
            loss = loss + workload["auxiliary_weight"] * side
        loss.backward()
        if workload["clip"] > 0.0:
            nn.utils.clip_grad_norm_(parameters, workload["clip"])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    return run


def prepare_block(workload, layout):
    """One operation in training, forward and backward, with an upstream gradient of ones."""
    block = Block(workload["block"]).to(memory_format=layout)
    kaiming(block)
    block.train()
    x = random_maps(workload["batch"], workload["input"], layout).requires_grad_()
    wanted = [x, *block.parameters()]
    upstream = torch.ones_like(block(x))

    def run():
        y = block(x)
        if not y.requires_grad:
            return [torch.zeros_like(x)]
        return torch.autograd.grad(y, wanted, upstream)

    return run


def random_maps(batch, shape, layout):
    maps = torch.randn(batch, shape["channels"], shape["height"], shape["width"])
    return maps.contiguous(memory_format=layout)
