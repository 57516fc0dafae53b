"""Loads checkpoints of prunephase in PyTorch, strictly, and compares logits: load_back.py FOLDER."""

import json
import sys
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file
from torch.nn.utils import prune

folder = Path(sys.argv[1])


class FC4(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(784, 4 * w), nn.Linear(4 * w, 2 * w)
        self.fc3, self.fc4 = nn.Linear(2 * w, w), nn.Linear(w, 10)

    def forward(self, x):
        x = x.flatten(1)
        for layer in [self.fc1, self.fc2, self.fc3]:
            x = F.relu(layer(x))
        return self.fc4(x)


class CNN5(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6 * w, 5, padding=2), nn.Conv2d(6 * w, 16 * w, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400 * w, 120 * w), nn.Linear(120 * w, 84 * w), nn.Linear(84 * w, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2).flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


for name, model in [("fc4", FC4(3)), ("cnn5", CNN5(1))]:
    state = load_file(folder / f"{name}.safetensors")
    masks = {k: state.pop(k) for k in list(state) if k.endswith(".weight_mask")}
    model.load_state_dict(state)  # strict
    data = json.loads((folder / f"{name}.json").read_text())
    inputs = torch.tensor(data["inputs"]).reshape(-1, 1, 28, 28)
    with torch.no_grad():
        logits = model(inputs)
    difference = (logits.double() - torch.tensor(data["logits"], dtype=torch.float64)).abs().max().item()
    print(name, difference)
    assert difference < 1e-5, (name, difference)

    # A mask of a sample in a model of one's own, dense as it is.
    dense = type(model)(3 if name == "fc4" else 1)
    state = load_file(folder / f"{name}-samples" / "sample-0000.safetensors")
    masks = {k.removesuffix(".weight_mask"): state.pop(k) for k in list(state) if k.endswith(".weight_mask")}
    for layer, mask in masks.items():
        prune.custom_from_mask(dense.get_submodule(layer), "weight", mask)
    for layer, mask in masks.items():
        weight = dense.get_submodule(layer).weight
        assert ((weight != 0) == mask.bool()).all(), layer
    with torch.no_grad():
        assert dense(inputs).isfinite().all()


def load_named(file, shapes_of):
    """Everything that was in the file of PyTorch is in ours, under the same names and in the same shapes."""
    state = load_file(folder / file)
    masks = {k: state.pop(k) for k in list(state) if k.endswith(".weight_mask")}
    assert set(state) == set(shapes_of), set(state) ^ set(shapes_of)
    for name, tensor in shapes_of.items():
        assert state[name].shape == tensor.shape and state[name].dtype == tensor.dtype, name
    return state, masks


fixtures = Path(sys.argv[2])
dense = torch.load(fixtures / "resnet-dense.pth", weights_only=True)
state, masks = load_named("resnet-samples/sample-0000.safetensors", dense)
pruned = torch.load(fixtures / "resnet.pth", weights_only=True)["state_dict"]
assert torch.equal(state["bn1.running_var"], pruned["bn1.running_var"])
for name, mask in masks.items():
    before = pruned[name]
    assert torch.equal(mask.sum((1, 2, 3) if mask.dim() == 4 else 1), before.sum((1, 2, 3) if mask.dim() == 4 else 1)), name
    assert torch.equal(mask.sum(0), before.sum(0)), name
gpt2 = torch.load(fixtures / "gpt2.pt", weights_only=True)
state, masks = load_named("gpt2-samples/sample-0000.safetensors", gpt2)
assert torch.equal(state["transformer.wte.weight"], gpt2["transformer.wte.weight"])
given = load_file(fixtures / "gpt2-masks.safetensors")
for name, mask in masks.items():
    before = given[name.removesuffix("_mask")]
    assert torch.equal(mask.sum(0), before.sum(0)) and torch.equal(mask.sum(1), before.sum(1)), name
print("samples load")
