# SPDX-License-Identifier: Apache-2.0
# From random weights, on simulated and real frames: 12,000 steps and nothing that is not needed.
from perception.sensors.radar import RadarFaults
from perception.training.recipe import Augmentation, Recipe, Sampling

recipe = Recipe(
    crop=(320, 768),
    batch_size=4,
    iterations=12000,
    learning_rate=2e-3,
    weight_decay=0.02,
    warm_up=200,
    average_decay=0.998,
    # Scales bring every set's objects to the sizes that the network's input shows them in.
    sources={
        "camvid": Sampling(weight=3.0, scale=(0.75, 2.0), tiles=2),
        "idd-lite": Sampling(weight=4.0, scale=(1.2, 2.7), tiles=2),
        "kitti-frames": Sampling(weight=2.5, scale=(0.6, 1.6)),
        "roadscene": Sampling(weight=0.5, scale=(0.75, 2.0)),
        "msrs": Sampling(weight=0.1, scale=(0.6, 1.6)),
        "simulated": Sampling(weight=10.0, scale=(0.8, 1.4)),
        **dict.fromkeys(("folder", "cvat", "label-studio", "coco"), Sampling(weight=5.0, scale=(0.75, 2.0))),
        "pseudo": Sampling(weight=1.0, scale=(0.6, 1.6), split="all", soft=True),
    },
    augmentation=Augmentation(further={"radar": RadarFaults(share=0.4)}),
)
