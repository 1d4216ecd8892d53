# SPDX-License-Identifier: Apache-2.0
# The last stage of the shipped weights: what real sensors need. Every real set, soft labels as they are, 3D boxes and
# ground against wrong ones, depth from real stereo, thermal images as cameras send them, sensors that lie, copy-paste,
# losses for small things, and each side also taught by itself. Eight crops at a time, which
# measure batch statistics badly: those stay as they are. Begin with weights that know the classes (--init).
from perception.training.recipe import (
    Augmentation,
    DepthFaults,
    LidarFaults,
    Paste,
    Patches,
    Recipe,
    Sampling,
    Sides,
    Subsets,
    Teaching,
    ThermalFaults,
    Weather,
)

recipe = Recipe(
    crop=(320, 768),
    batch_size=8,
    iterations=1500,
    learning_rate=1e-3,
    weight_decay=0.02,
    warm_up=60,
    average_decay=0.999,
    frozen_statistics=True,
    losses=(
        # As in the network's own head: IoU is best where a class is chosen from a probability of IoU/2 on.
        dict(type="WeightedCrossEntropy", class_weight=(1.0, 1.0, 1.0, 1.2)),
        dict(type="LovaszSoftmax", loss_weight=0.5),
        dict(type="BoundaryCrossEntropy", radius=2, loss_weight=0.4),
    ),
    teacher=Teaching(temperature=2.0, weight=0.2),
    sides=Sides(alone=0.5),
    augmentation=Augmentation(
        weather=Weather(fog=0.04, darkness=0.08, motion_blur=0.08, jpeg=0.15),
        lidar=LidarFaults(share=0.35, rotation=2.0, translation=0.08, delay=0.1, beams=0.3, dropout=0.5, intensity=0.4),
        depth=DepthFaults(share=0.5),
        thermal=ThermalFaults(control=0.5, local=0.15, pattern=0.2, blur=0.2, inverted=0.05, rim=0.1, narrow=0.2),
        patches=Patches(share=0.25),
        paste=Paste(share=0.3, most=3, pedestrians=0.7),
        subsets=Subsets(whole=0.7, alone=0.12),
    ),
    # Scales bring every set's objects to the sizes that the network's input shows them in.
    sources={
        "camvid": Sampling(
            weight=7.0,
            scale=(0.75, 2.0),
            tiles=2,
            donors=("camvid", "idd-lite", "penn-fudan", "simulated"),
            horizon=0.49,
        ),
        "idd-lite": Sampling(
            weight=8.0, scale=(1.2, 2.7), tiles=2, donors=("idd-lite", "camvid", "penn-fudan"), horizon=0.48
        ),
        "cityscapes-small": Sampling(
            weight=14.0, scale=(1.1, 3.0), donors=("penn-fudan", "cityscapes-small"), horizon=0.45
        ),
        "kitti-frames": Sampling(weight=4.0, scale=(0.7, 2.2), soft=True, boxes=True),
        "kitti-stereo": Sampling(weight=5.0, scale=(0.7, 2.0), soft=True, boxes=True),
        "roadscene": Sampling(weight=6.0, scale=(0.7, 2.0), soft=True),
        "msrs": Sampling(weight=0.5, scale=(0.6, 1.6), soft=True),
        "msrs-more": Sampling(weight=13.0, scale=(0.6, 1.8), soft=True),
        "penn-fudan": Sampling(weight=2.0, scale=(0.3, 1.5), tiles=3, horizon=0.4),
        "people": Sampling(weight=6.0, scale=(0.25, 1.6), split="all", dataset="pseudo", soft=True, tiles=2),
        "stereo": Sampling(weight=4.0, scale=(0.6, 1.4), split="all", dataset="pseudo", soft=True),
        "simulated": Sampling(weight=13.0, scale=(0.8, 1.8), donors=("simulated",)),
        **dict.fromkeys(("folder", "cvat", "label-studio", "coco"), Sampling(weight=5.0, scale=(0.75, 2.0))),
        "pseudo": Sampling(weight=1.0, scale=(0.6, 1.6), split="all", soft=True),
    },
)
