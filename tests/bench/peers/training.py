"""Trains a masked dense network in PyTorch, one thread, for the bench `train`.

training.py --list: the names of the peers. training.py NAME FOLDER: reads FOLDER/case.json and FOLDER/values.bin, then
answers each line on standard input with the CPU seconds of one pass, the loss of its last batch and the most memory so
far in MB. A line that begins with a slash is the folder of another case on the same images, to be read first.

`usual` is PyTorch as it is mostly written: Adam with its defaults, weights multiplied by the mask after each step.
`best` adds what makes it faster on one thread: the fused Adam, a malloc that keeps its pages, no denormals.
"""

import gzip
import json
import os
import resource
import sys
import time
from pathlib import Path

PEERS = ["usual", "best"]

if sys.argv[1] == "--list":
    print("\n".join(PEERS))
    sys.exit()

KEEP_PAGES = {"MALLOC_TRIM_THRESHOLD_": "-1", "MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TOP_PAD_": "268435456"}
if sys.argv[1] == "best" and "MALLOC_TRIM_THRESHOLD_" not in os.environ:
    # glibc reads these when a process starts.
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **KEEP_PAGES})

import numpy
import torch
from torch import nn

torch.set_num_threads(1)
ACTIVATIONS = {"none": [], "relu": [nn.ReLU], "tanh": [nn.Tanh]}


def idx(path, header):
    with gzip.open(path) as file:
        return numpy.frombuffer(file.read(), numpy.uint8)[header:]


def model_of(case, values):
    layers, masks, at = [], [], 0

    def take(shape):
        nonlocal at
        count = int(numpy.prod(shape))
        at += count
        return torch.from_numpy(values[at - count : at].reshape(shape).copy())

    shape = case["network"]["input"]
    layers.append(nn.Unflatten(1, (shape["channels"], shape["height"], shape["width"])))
    flat = False
    for layer in case["network"]["layers"]:
        if layer["kind"] == "max-pool":
            layers.append(nn.MaxPool2d(layer["kernel"], layer["stride"]))
            continue
        if layer["kind"] == "linear":
            if not flat:
                layers.append(nn.Flatten())
                flat = True
            module = nn.Linear(layer["inputs"], layer["outputs"])
        else:
            ends = layer["input"]["channels"], layer["output"]["channels"]
            module = nn.Conv2d(*ends, layer["kernel"], layer["stride"], layer["padding"])
        with torch.no_grad():
            module.weight.copy_(take(module.weight.shape))
            mask = take(module.weight.shape)
            module.bias.copy_(take(module.bias.shape))
            module.weight.mul_(mask)
        if not bool(mask.all()):
            masks.append((module.weight, mask))
        layers.append(module)
        layers.extend(activation() for activation in ACTIVATIONS[layer["activation"]])
    return nn.Sequential(*layers), masks


def start(name, folder):
    case = json.loads((folder / "case.json").read_text())
    values = numpy.fromfile(folder / "values.bin", numpy.float32)
    model, masks = model_of(case, values)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, **({"fused": True} if name == "best" else {}))
    return case, model, masks, optimiser


def main():
    name = sys.argv[1]
    case, model, masks, optimiser = start(name, Path(sys.argv[2]))
    pixels = idx(case["images"], 16).reshape(-1, 28 * 28).astype(numpy.float32) / 255
    images = torch.from_numpy((pixels - numpy.float32(0.1307)) / numpy.float32(0.3081))
    labels = torch.from_numpy(idx(case["labels"], 8).astype(numpy.int64))
    del pixels
    if name == "best":
        torch.set_flush_denormal(True)
    criterion = nn.CrossEntropyLoss()
    for line in sys.stdin:
        if line.startswith("/"):
            case, model, masks, optimiser = start(name, Path(line.strip()))
        batch = case["batch"]
        order = torch.randperm(len(images))
        start_time = time.process_time()
        for step in range(case["steps"]):
            chosen = order[step * batch : (step + 1) * batch]
            optimiser.zero_grad(set_to_none=True)
            loss = criterion(model(images[chosen]), labels[chosen])
            loss.backward()
            optimiser.step()
            with torch.no_grad():
                for weight, mask in masks:
                    weight.mul_(mask)
        seconds = time.process_time() - start_time
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(seconds, f"{loss.item():.3f}", most, flush=True)


main()
