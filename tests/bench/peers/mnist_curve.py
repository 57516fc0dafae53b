"""Pruning curves in PyTorch, with the protocol of analysis/mnist-fc4.toml and analysis/mnist-cnn5.toml.

mnist_curve.py fc4|cnn5 FOLDER SEED...: FOLDER holds MNIST's official files. Prints a line `architecture,seed,level,
density,accuracy` a level. PyTorch's own initialisation and shuffles; fresh Adam at every level; one thread.
"""

import gzip
import sys
from pathlib import Path

import numpy
import torch
from torch import nn

torch.set_num_threads(1)
PROTOCOLS = {"fc4": (4, 36, 0.8), "cnn5": (3, 21, 0.72)}


def idx(path, header, shape):
    with gzip.open(path) as file:
        return torch.from_numpy(numpy.frombuffer(file.read(), numpy.uint8)[header:].copy()).reshape(shape)


def model_of(architecture):
    if architecture == "fc4":
        sizes = [784, 128, 64, 32, 10]
        layers = [nn.Flatten()]
        for inputs, outputs in zip(sizes, sizes[1:]):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        return nn.Sequential(*layers[:-1])
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def main(architecture, folder, seeds):
    dense_epochs, levels, ratio = PROTOCOLS[architecture]
    folder = Path(folder)
    parts = []
    for name, count in [("train", 60000), ("t10k", 10000)]:
        images = idx(folder / f"{name}-images-idx3-ubyte.gz", 16, (count, 1, 28, 28)).float() / 255
        parts.append(((images - 0.1307) / 0.3081, idx(folder / f"{name}-labels-idx1-ubyte.gz", 8, (count,)).long()))
    (train, train_labels), (test, test_labels) = parts
    for seed in seeds:
        torch.manual_seed(int(seed))
        model = model_of(architecture)
        weights = [p for p in model.parameters() if p.dim() > 1]
        masks = [torch.ones_like(w) for w in weights]
        dense = sum(w.numel() for w in weights)
        for level in range(levels + 1):
            if level:
                kept = round(dense * ratio**level)
                scores = torch.cat([(w.detach().abs() * m).flatten() for w, m in zip(weights, masks)])
                chosen = torch.zeros(dense)
                chosen[torch.topk(scores, kept).indices] = 1
                masks = [c.view_as(w) for c, w in zip(chosen.split([w.numel() for w in weights]), weights)]
            with torch.no_grad():
                for w, m in zip(weights, masks):
                    w.mul_(m)
            optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
            for _ in range(1 if level else dense_epochs):
                for batch in torch.randperm(60000)[: 60000 // 128 * 128].split(128):
                    optimiser.zero_grad()
                    nn.functional.cross_entropy(model(train[batch]), train_labels[batch]).backward()
                    optimiser.step()
                    with torch.no_grad():
                        for w, m in zip(weights, masks):
                            w.mul_(m)
            with torch.no_grad():
                accuracy = (model(test).argmax(1) == test_labels).float().mean().item()
            density = sum(int(m.sum()) for m in masks) / dense
            print(f"{architecture},{seed},{level},{density:.6f},{accuracy:.4f}", flush=True)


main(sys.argv[1], sys.argv[2], sys.argv[3:])
