"""A study's network in PyTorch, trained as its users train: needs torch and nothing of ours."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import torch
from torch import nn

CELLS = {"simple_rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU, "cnn_lstm": nn.LSTM}


class Pool(nn.Module):
    """What is taken of the steps of an example, as one row."""

    def __init__(self, pooling: str, width: int) -> None:
        super().__init__()
        self.pooling = pooling
        if pooling == "attention":
            self.score = nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (batch, row) of (batch, time, width)."""
        if self.pooling == "none":
            return x.flatten(1)
        if self.pooling == "attention":
            return (torch.softmax(self.score(x), dim=1) * x).sum(dim=1)
        if self.pooling == "last":
            return x[:, -1]
        if self.pooling == "statistics":
            return torch.cat([x.mean(dim=1), x.std(dim=1, unbiased=False)], dim=1)
        return {"mean": x.mean, "max": x.amax}[self.pooling](dim=1)


class Recurrent(nn.Module):
    """A stack of recurrent layers, one after the other since their widths differ."""

    def __init__(self, cell: Any, width: int, values: dict[str, Any]) -> None:
        super().__init__()
        self.dropout = nn.Dropout(values["dropout"])
        self.layers = nn.ModuleList()
        for units in values["units"]:
            self.layers.append(cell(width, units, batch_first=True))
            width = units
        self.width = width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (batch, time, units) of (batch, time, channels)."""
        for layer in self.layers:
            x, _ = layer(self.dropout(x))
        return x


class Convolutions(nn.Module):
    """Convolutions with pooling: (batch, time, channels) to (batch, time, filters)."""

    def __init__(self, width: int, values: dict[str, Any], *, same: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for filters, kernel in zip(values["filters"], values["kernels"], strict=True):
            layers.append(nn.Conv1d(width, filters, kernel, padding=kernel // 2 if same else 0))
            if values["batch_normalization"] and same:
                layers.append(nn.BatchNorm1d(filters))
            layers += [nn.ReLU(), nn.Dropout(values["dropout"]), nn.MaxPool1d(values["pool"])]
            width = filters
        if values["batch_normalization"] and not same:
            layers.append(nn.BatchNorm1d(width))
        self.layers, self.width = nn.Sequential(*layers), width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (batch, steps that are left, filters) of (batch, time, channels)."""
        return self.layers(x.transpose(1, 2)).transpose(1, 2)


def build(case: dict[str, Any]) -> nn.Module:
    """Build the network of a case of `benchmarks.speed.cases`; its last layer has no softmax."""
    values, (time_steps, width) = case["hyperparameters"], case["shape"]
    parts: list[nn.Module] = []
    if case["architecture"].startswith("cnn"):
        recurrent = case["architecture"] == "cnn_lstm"
        convolutions = Convolutions(width, values, same=not recurrent)
        parts.append(convolutions)
        width = convolutions.width
    if case["architecture"] in CELLS:
        layers = Recurrent(CELLS[case["architecture"]], width, values)
        parts.append(layers)
        width = layers.width
    parts.append(Pool(values["pooling"], width))
    body = nn.Sequential(*parts)
    with torch.no_grad():
        width = body(torch.zeros(2, time_steps, case["shape"][1])).shape[1]
    for units in values["dense"]:
        parts += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(values["dense_dropout"])]
        width = units
    return nn.Sequential(*parts, nn.Linear(width, case["classes"]))


def run(case: dict[str, Any], *, seconds: float, steps: int = 4) -> dict[str, float]:
    """Train for some seconds with one thread; return the seconds of a step in the best epoch."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    values, batch = case["hyperparameters"], case["hyperparameters"]["batch_size"]
    x = torch.randn(batch * steps, *case["shape"])
    y = torch.randint(0, case["classes"], (len(x),))
    network = build(case).train()
    kind = torch.optim.AdamW if values["weight_decay"] else torch.optim.Adam
    rate, decay = values["learning_rate"], values["weight_decay"]
    optimizer = kind(network.parameters(), lr=rate, weight_decay=decay)
    loss_of = nn.CrossEntropyLoss()
    best, began = float("inf"), time.perf_counter()
    while True:
        start = time.perf_counter()
        for rows in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            loss = loss_of(network(x[rows]), y[rows])
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), values["global_clipnorm"])
            optimizer.step()
        best = min(best, (time.perf_counter() - start) / steps)
        if time.perf_counter() - began > seconds:
            break
    weights = sum(one.numel() for one in network.parameters())
    return {"seconds_per_step": best, "parameters": weights}


if __name__ == "__main__":
    print("\n" + json.dumps(run(**json.loads(sys.argv[1]))))
