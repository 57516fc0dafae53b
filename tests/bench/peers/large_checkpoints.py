"""Writes checkpoints of the size of ResNet-18 and of GPT-2 (small) with random weights: large_checkpoints.py FOLDER

resnet18.pt    11.2 M weights, torchvision's names, weight_orig and weight_mask, 5 % kept
gpt2.pt        Hugging Face's names, 85 M weights in the blocks and 39 M in embeddings, zeros where pruned
gpt2-masks.pt  5 % of the weights of the blocks
"""

import sys
from pathlib import Path

import torch

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
torch.manual_seed(1)


def kept(*shape):
    return torch.rand(*shape) < 0.05


state = {}


def conv(name, *shape):
    mask = kept(*shape)
    state[f"{name}.weight_orig"] = torch.randn(*shape)
    state[f"{name}.weight_mask"] = mask.float()


def norm(name, size):
    for part in ["weight", "bias", "running_mean", "running_var"]:
        state[f"{name}.{part}"] = torch.ones(size)
    state[f"{name}.num_batches_tracked"] = torch.tensor(1)


conv("conv1", 64, 3, 7, 7)
norm("bn1", 64)
width = 64
for layer, size in enumerate([64, 128, 256, 512], 1):
    for block in range(2):
        name = f"layer{layer}.{block}"
        conv(f"{name}.conv1", size, width, 3, 3)
        norm(f"{name}.bn1", size)
        conv(f"{name}.conv2", size, size, 3, 3)
        norm(f"{name}.bn2", size)
        if width != size:
            conv(f"{name}.downsample.0", size, width, 1, 1)
            norm(f"{name}.downsample.1", size)
        width = size
conv("fc", 1000, 512)
state["fc.bias"] = torch.zeros(1000)
torch.save(state, folder / "resnet18.pt")

d = 768
state, masks = {"transformer.wte.weight": torch.randn(50257, d), "transformer.wpe.weight": torch.randn(1024, d)}, {}
for i in range(12):
    h = f"transformer.h.{i}."
    for part in ["ln_1", "ln_2"]:
        state[f"{h}{part}.weight"], state[f"{h}{part}.bias"] = torch.ones(d), torch.zeros(d)
    for name, a, b in [("attn.c_attn", d, 3 * d), ("attn.c_proj", d, d), ("mlp.c_fc", d, 4 * d), ("mlp.c_proj", 4 * d, d)]:
        state[f"{h}{name}.weight"], state[f"{h}{name}.bias"] = torch.randn(a, b), torch.zeros(b)
        masks[f"{h}{name}.weight"] = kept(a, b)
state["lm_head.weight"] = state["transformer.wte.weight"]
torch.save(state, folder / "gpt2.pt")
torch.save(masks, folder / "gpt2-masks.pt")

# All 124 M weights in one chain of a width: 50257 x 768, then as many as the blocks have.
state = {}
sizes = [50257, d] + [3072, d] * 18
for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
    mask = kept(b, a)
    state[f"fc{i + 1}.weight"], state[f"fc{i + 1}.weight_mask"] = torch.randn(b, a) * mask, mask
torch.save(state, folder / "chain124m.pt")
print(sum(value.numel() for name, value in state.items() if name.endswith("weight")))
