# dual_branch_s_rich to go on from good weights with few crops at a time: the statistics of larger batches stay as they
# are, and vehicles come as near as they do on a road.
_base_ = "dual_branch_s_rich.py"

training = dict(
    learning_rate=2e-4,
    warm_up=100,
    frozen_statistics=True,
    augmentation=dict(lidar=dict(share=0.25), paste=dict(share=0.2)),
    sources={
        "kitti-frames": dict(weight=6.0, scale=(0.7, 2.5)),
        "simulated": dict(weight=10.0, scale=(0.8, 2.0)),
    },
)
