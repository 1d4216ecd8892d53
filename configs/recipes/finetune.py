# SPDX-License-Identifier: Apache-2.0
# One's own frames (`--data folder=…`, or cvat, label-studio, coco), on from the shipped weights: `real` with a low
# learning rate, as the weights know most already, and one's own frames drawn more often than any other set.
from dataclasses import replace

from perception.training.recipe import read_recipe

OWN = ("folder", "cvat", "label-studio", "coco")

real = read_recipe("real")
recipe = replace(
    real,
    init="dual_branch_s",
    iterations=2400,
    learning_rate=3e-4,
    warm_up=100,
    sources={**real.sources, **{name: replace(real.sources[name], weight=20.0) for name in OWN}},
)
