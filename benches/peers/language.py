"""The recurrent language model in PyTorch: embedding, a cell of several nodes, output tied with the embedding."""

import torch
import torch.nn.functional as F
from torch import nn

FUNCTIONS = {"tanh": torch.tanh, "relu": torch.relu, "identity": lambda u: u, "sigmoid": torch.sigmoid}
BOUND = 0.04


class Cell(nn.Module):
    """Every node mixes what it reads with a function of it; the output is the mean of all nodes but the first."""

    def __init__(self, nodes, hidden):
        super().__init__()
        self.first = nn.Parameter(torch.empty(2 * hidden, 2 * hidden).uniform_(-BOUND, BOUND))
        self.nodes = nn.ParameterList(torch.empty(hidden, 2 * hidden).uniform_(-BOUND, BOUND) for _ in nodes)
        self.reads = [(state, FUNCTIONS[name]) for state, name in nodes]

    def forward(self, words, memory, word_mask=None, state_mask=None):
        of_words, of_memory = self.first.chunk(2)
        # The share of the words in one product for all steps.
        shares = masked(words, word_mask) @ of_words
        outputs = []
        for share in shares.unbind():
            states = [mixed(torch.addmm(share, masked(memory, state_mask), of_memory), memory, torch.tanh)]
            for (state, function), weight in zip(self.reads, self.nodes):
                read = states[state]
                states.append(mixed(masked(read, state_mask) @ weight, read, function))
            memory = torch.stack(states[1:]).mean(dim=0)
            outputs.append(memory)
        return torch.stack(outputs)


def mixed(product, read, function):
    gate, candidate = product.chunk(2, dim=-1)
    return torch.lerp(read, function(candidate), torch.sigmoid(gate))


def masked(x, mask):
    return x if mask is None else x * mask


class LanguageModel(nn.Module):
    """Words to logits of the next ones."""

    def __init__(self, nodes, vocabulary, hidden, dropouts):
        super().__init__()
        self.embedding = nn.Parameter(torch.empty(vocabulary, hidden).uniform_(-BOUND, BOUND))
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.cell = Cell(nodes, hidden)
        self.dropouts = dropouts

    def forward(self, words, memory):
        """Logits `[steps, batch, vocabulary]` and the cell's outputs. One mask holds for all steps."""
        mask = lambda kind: locked(memory, self.dropouts[kind]) if self.training else None
        embedded = masked(F.embedding(words, self.embedding), mask("input"))
        outputs = self.cell(embedded, memory, mask("x"), mask("hidden"))
        return F.linear(masked(outputs, mask("output")), self.embedding, self.bias), outputs


def locked(like, rate):
    return torch.empty_like(like).bernoulli_(1.0 - rate).div_(1.0 - rate) if rate > 0.0 else None


def prepare(workload):
    """A step of training on a fixed segment, or the cell alone."""
    if workload["mode"] == "cell":
        return cell_alone(workload)
    return training_step(workload)


def training_step(workload):
    hidden, batch, segment = workload["hidden"], workload["batch"], workload["segment"]
    model = LanguageModel(workload["nodes"], workload["vocabulary"], hidden, workload["dropouts"])
    parameters = list(model.parameters())
    rate, decay = workload["learning_rate"], workload["weight_decay"]
    optimizer = torch.optim.SGD(parameters, lr=rate, weight_decay=decay, fused=True)
    words, following = torch.randint(workload["vocabulary"], (2, segment, batch))

    def run():
        logits, outputs = model(words, torch.zeros(batch, hidden))
        loss = F.cross_entropy(logits.flatten(0, 1), following.flatten())
        changes = outputs[1:] - outputs[:-1]
        total = loss + workload["temporal_penalty"] * changes.square().mean()
        total.backward()
        nn.utils.clip_grad_norm_(parameters, workload["clip"])
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    return run


def cell_alone(workload):
    hidden, batch = workload["hidden"], workload["batch"]
    cell = Cell(workload["nodes"], hidden)
    words = torch.randn(workload["segment"], batch, hidden).mul_(BOUND).requires_grad_()
    memory = torch.randn(batch, hidden).mul_(BOUND).requires_grad_()
    leaves = [words, memory, *cell.parameters()]

    def run():
        return torch.autograd.grad(cell(words, memory).sum(), leaves)

    return run
