# SPDX-License-Identifier: Apache-2.0
# From random weights in minutes, to rank networks: small crops, so that slow networks also see many.
from perception.training.recipe import Augmentation, Recipe, Sampling, Subsets

recipe = Recipe(
    crop=(192, 384),
    batch_size=4,
    iterations=1000,
    learning_rate=2e-3,
    weight_decay=0.02,
    warm_up=50,
    average_decay=0.99,
    augmentation=Augmentation(subsets=Subsets(whole=0.7, alone=0.12)),
    # Half of the crops are of sets that a sensor beside the camera sees; those scales as in `real`.
    sources={
        "camvid": Sampling(weight=5.0, scale=(0.75, 2.0), tiles=2),
        "idd-lite": Sampling(weight=5.0, scale=(1.2, 2.7), tiles=2),
        "kitti-frames": Sampling(weight=4.0, scale=(0.7, 2.0), soft=True),
        "roadscene": Sampling(weight=3.0, scale=(0.7, 2.0), soft=True),
        "msrs": Sampling(weight=3.0, scale=(0.6, 1.6), soft=True),
        "simulated": Sampling(weight=6.0, scale=(0.8, 1.6)),
        **dict.fromkeys(("folder", "cvat", "label-studio", "coco"), Sampling(weight=5.0, scale=(0.75, 2.0))),
    },
)
