"""The controller in PyTorch: encoder, performance predictor and decoder with attention."""

import torch
import torch.nn.functional as F
from torch import nn

START = 0
ASCENT_STEP = 5.0


class Encoder(nn.Module):
    """Sequences to unit vectors, one per step, and to the unit vector of their mean."""

    def __init__(self, config, vocabulary, tokens_per_step):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, config["embedding"])
        self.rnn = nn.LSTM(config["embedding"] * tokens_per_step, config["hidden"], batch_first=True)
        self.tokens_per_step = tokens_per_step
        self.dropout = config["encoder_dropout"]

    def forward(self, sequences):
        embedded = dropped(self.embedding(sequences), self.dropout, self.training)
        batch, length, width = embedded.shape
        steps = embedded.view(batch, length // self.tokens_per_step, self.tokens_per_step * width)
        outputs, _ = self.rnn(steps)
        return F.normalize(outputs, dim=-1)


class Predictor(nn.Module):
    """Perceptron and sigmoid on an architecture's vector."""

    def __init__(self, config):
        super().__init__()
        layers, width = [], config["hidden"]
        for _ in range(config["mlp_layers"]):
            layers += [nn.Linear(width, config["mlp_hidden"]), nn.ReLU(inplace=True)]
            if config["mlp_dropout"] > 0.0:
                layers.append(nn.Dropout(config["mlp_dropout"]))
            width = config["mlp_hidden"]
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1), nn.Sigmoid())
        if config["design"] == "rnn-ws":
            self.layers.apply(start_small)

    def forward(self, arch):
        return self.layers(arch).squeeze(1)


class Attention(nn.Module):
    """Each output of the decoder looks at all steps of the encoder."""

    def __init__(self, config):
        super().__init__()
        hidden, own_query = config["hidden"], config["design"] == "cnn"
        self.query = nn.Linear(hidden, hidden, bias=False) if own_query else nn.Identity()
        self.join = nn.Linear(2 * hidden, hidden, bias=not own_query)

    def forward(self, outputs, encoded):
        scores = torch.bmm(self.query(outputs), encoded.transpose(1, 2))
        context = torch.bmm(scores.softmax(dim=-1), encoded)
        return torch.tanh(self.join(torch.cat([context, outputs], dim=-1)))


class Decoder(nn.Module):
    """From the embedding back to tokens."""

    def __init__(self, config, vocabulary):
        super().__init__()
        hidden = config["hidden"]
        self.embedding = nn.Embedding(vocabulary, hidden)
        self.rnn = nn.LSTM(hidden, hidden, batch_first=True)
        self.attention = Attention(config)
        self.out = nn.Linear(hidden, vocabulary)
        self.dropout = config["decoder_dropout"]

    def forward(self, arch, encoded, sequences):
        """Logits of every token, given all before it."""
        previous = F.pad(sequences[:, :-1], (1, 0), value=START)
        embedded = dropped(self.embedding(previous), self.dropout, self.training)
        state = arch.unsqueeze(0)
        outputs, _ = self.rnn(embedded, (state, state))
        return self.out(self.attention(outputs, encoded))

    def greedy(self, arch, encoded, length):
        """The likeliest token at each place, fed back."""
        rnn = self.rnn
        weights = (rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0, rnn.bias_hh_l0)
        state = (arch, arch)
        token = torch.full((arch.shape[0],), START)
        tokens = []
        for _ in range(length):
            state = torch.lstm_cell(self.embedding(token), state, *weights)
            attended = self.attention(state[0].unsqueeze(1), encoded)
            token = self.out(attended.squeeze(1)).argmax(dim=1)
            tokens.append(token)
        return torch.stack(tokens, dim=1)


class Controller(nn.Module):
    """All three networks."""

    def __init__(self, config, vocabulary, tokens_per_step):
        super().__init__()
        self.encoder = Encoder(config, vocabulary, tokens_per_step)
        self.predictor = Predictor(config)
        self.decoder = Decoder(config, vocabulary)
        self.trade_off = config["trade_off"]

    def loss(self, sequences, targets):
        encoded = self.encoder(sequences)
        arch = mean_direction(encoded)
        logits = self.decoder(arch, encoded, sequences)
        prediction = F.mse_loss(self.predictor(arch), targets)
        reconstruction = F.cross_entropy(logits.flatten(0, 1), sequences.flatten())
        return self.trade_off * prediction + (1.0 - self.trade_off) * reconstruction

    def ascend(self, encoded, step):
        """One gradient step of the embedding up the prediction."""
        with torch.enable_grad():
            leaf = encoded.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.predictor(mean_direction(leaf)).sum(), leaf)
        return F.normalize(encoded + step * gradient, dim=-1)


def dropped(x, rate, training):
    return F.dropout(x, rate) if training and rate > 0.0 else x


def mean_direction(encoded):
    return F.normalize(encoded.mean(dim=1), dim=-1)


def start_small(module):
    if isinstance(module, nn.Linear):
        nn.init.uniform_(module.weight, -0.04, 0.04)
        nn.init.zeros_(module.bias)


def prepare(workload):
    """An epoch of training, or a round of ascent and decoding, on given sequences."""
    config = workload["config"]
    controller = Controller(config, workload["vocabulary"], workload["tokens_per_step"])
    sequences = torch.tensor(workload["sequences"])
    if workload["mode"] == "decode":
        return decoding(controller, sequences, workload["sequence_len"])
    targets = torch.tensor(workload["targets"], dtype=torch.float32)
    return epoch(controller, sequences, targets, config)


def epoch(controller, sequences, targets, config):
    controller.train()
    parameters = list(controller.parameters())
    optimizer = torch.optim.Adam(
        parameters,
        lr=config["learning_rate"],
        eps=1e-8,
        weight_decay=config["weight_decay"],
        fused=True,
    )

    def run():
        total = torch.zeros(())
        for batch in torch.randperm(len(sequences)).split(config["batch"]):
            loss = controller.loss(sequences[batch], targets[batch])
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, config["clip"])
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            total += loss.detach() * len(batch)
        return total.item() / len(sequences)

    return run


def decoding(controller, sequences, length):
    controller.eval().requires_grad_(False)

    @torch.no_grad()
    def run():
        encoded = controller.ascend(controller.encoder(sequences), ASCENT_STEP)
        return controller.decoder.greedy(mean_direction(encoded), encoded, length).tolist()

    return run
