# SPDX-License-Identifier: Apache-2.0
# The instance head alone, on the shipped weights, which stay as they are: `perception train dual_branch_s_instances
# --recipe instances`. Drives must have instances: those that earlier versions simulated teach none.
from dataclasses import replace

from perception.training.recipe import Augmentation, Paste, Recipe, Sampling, Subsets, Weather, read_recipe

real = read_recipe("real")
recipe = Recipe(
    init="dual_branch_s",
    frozen=("backbone", "decode_head"),
    frozen_statistics=True,
    crop=(320, 768),
    batch_size=8,
    iterations=4000,
    learning_rate=1e-3,
    weight_decay=0.02,
    warm_up=100,
    average_decay=0.999,
    augmentation=Augmentation(
        weather=Weather(fog=0.04, darkness=0.08, motion_blur=0.08, jpeg=0.15),
        paste=Paste(share=0.5, most=4, pedestrians=0.6),
        subsets=Subsets(whole=0.7, alone=0.2),
    ),
    sources={
        "simulated": Sampling(weight=10.0, scale=(0.6, 1.8), donors=("simulated", "penn-fudan")),
        "penn-fudan": replace(real.sources["penn-fudan"], weight=2.0),
        "cityscapes": Sampling(weight=10.0, scale=(0.4, 1.2), donors=("cityscapes", "penn-fudan"), horizon=0.45),
    },
)
