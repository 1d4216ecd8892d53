# SPDX-License-Identifier: Apache-2.0
"""Mask R-CNN (He et al., ICCV 2017) of torchvision, with a ResNet-50 and a feature pyramid."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN, maskrcnn_resnet50_fpn
from torchvision.ops import masks_to_boxes

from perception.errors import ModelError
from perception.training.baselines.examples import Example, Examples
from perception.training.baselines.job import BaselineOptions

ITERATIONS, BATCH_SIZE, LEARNING_RATE = 2000, 2, 0.005

WARM_UP = 0.1
"""Share of the iterations in which the learning rate rises; in the last third it is a tenth."""

SIDES = (384, 1248)
"""Pixels of the shorter side at least and of the longer one at most: what the node gives is taken as it is."""

EVERY = 50
"""Iterations between two words about the loss."""

WEIGHTS = "weights.pth"

OPSET = 17


def train(examples: Examples, options: BaselineOptions, path: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Train and export to `path`, with the weights beside it; returns the description."""
    torch.manual_seed(options.seed)
    draw = random.Random(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = build(len(examples.kinds), options.init).to(device).train()
    iterations = options.iterations or ITERATIONS
    batch_size, rate = options.batch_size or BATCH_SIZE, options.learning_rate or LEARNING_RATE
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.SGD(trained, rate, momentum=0.9, weight_decay=1e-4)
    for number in range(iterations):
        for group in optimiser.param_groups:
            group["lr"] = rate * _share_of_rate(number, iterations)
        batch = [examples[draw.randrange(len(examples))] for _ in range(batch_size)]
        images, targets = zip(
            *(_tensors(each, examples.kinds, draw.random() < 0.5, device) for each in batch), strict=True
        )
        losses = model(list(images), list(targets))
        loss = torch.stack(list(losses.values())).sum()
        if not torch.isfinite(loss):
            raise ModelError(f"iteration {number + 1}: the loss is no number; try a smaller --learning-rate")
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 10.0)
        optimiser.step()
        if (number + 1) % EVERY == 0 or number + 1 == iterations:
            say(f"iteration {number + 1} of {iterations}: loss {float(loss.detach()):.3f}")
    torch.save(model.state_dict(), path.with_name(WEIGHTS))
    export(model.cpu(), path)
    return {
        "inputs": {"image": {"channels": ["red", "green", "blue"], "scale": "1/255", "mean": [0] * 3, "std": [1] * 3}},
        "layout": "CHW",
        "outputs": {"kind": "masks", "labels": "labels", "scores": "scores", "masks": "masks"},
        "names": ["background", *examples.names],
    }


def build(kinds: int, init: Path | None) -> MaskRCNN:
    """For so many classes. init: a state of torchvision's network, of which what fits is taken; None for random
    weights. Raises ModelError for a file that holds none."""
    model: MaskRCNN = maskrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=1 + kinds, min_size=SIDES[0], max_size=SIDES[1]
    )
    if init is None:
        return model
    try:
        given = torch.load(init, map_location="cpu", weights_only=True)
        own = model.state_dict()
        fitting = {name: each for name, each in given.items() if name in own and each.shape == own[name].shape}
    except (OSError, RuntimeError, UnpicklingError, AttributeError) as error:
        raise ModelError(f"{init}: not a state of torchvision's network: {str(error).splitlines()[0]}") from error
    if not any(name.startswith("backbone") for name in fitting):
        raise ModelError(f"{init}: no weights of torchvision's Mask R-CNN with ResNet-50")
    model.load_state_dict(fitting, strict=False)
    return model


def export(model: MaskRCNN, path: Path) -> None:
    """Write the .onnx, which takes one image (3, H, W) of any size, with values of 0 to 1."""
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracer's remarks
        torch.onnx.export(
            _Alone(model.eval()),
            (torch.rand(3, 256, 384),),
            path,
            input_names=["image"],
            output_names=["labels", "scores", "masks"],
            dynamic_axes={
                "image": {1: "height", 2: "width"},
                "labels": {0: "things"},
                "scores": {0: "things"},
                "masks": {0: "things", 2: "height", 3: "width"},
            },
            opset_version=OPSET,
            dynamo=False,  # the newer exporter takes no network whose output depends on what it sees
        )


class _Alone(nn.Module):
    """One image in, without boxes, which the masks make needless."""

    def __init__(self, model: MaskRCNN) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        (found,) = self.model([image])
        return found["labels"], found["scores"], found["masks"]


def _tensors(
    example: Example, kinds: tuple[int, ...], mirrored: bool, device: torch.device
) -> tuple[Tensor, dict[str, Tensor]]:
    image, masks = example.image, example.masks
    if mirrored:
        image, masks = image[:, ::-1], masks[:, :, ::-1]
    colours = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).to(device).float() / 255
    parts = torch.from_numpy(np.ascontiguousarray(masks)).to(device, torch.uint8)
    boxes = masks_to_boxes(parts) + torch.tensor([0, 0, 1, 1], device=device)  # their last pixel belongs to them
    labels = torch.tensor([1 + kinds.index(kind) for kind in example.kinds.tolist()], device=device)
    return colours, {"boxes": boxes, "labels": labels, "masks": parts}


def _share_of_rate(number: int, iterations: int) -> float:
    rising = min(1.0, (number + 1) / max(1.0, WARM_UP * iterations))
    return rising * (0.1 if number >= 2 * iterations / 3 else 1.0)
