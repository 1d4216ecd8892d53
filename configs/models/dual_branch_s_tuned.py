# dual_branch_s_rich to go on from good weights with few crops at a time: the statistics of larger batches stay as they
# are, the average is longer, and vehicles come as near as they do on a road. One of the last stages of the
# shipped weights.
_base_ = "dual_branch_s_rich.py"

training = dict(
    batch_size=8,
    iterations=2400,
    learning_rate=3e-4,
    warm_up=100,
    average_decay=0.999,
    frozen_statistics=True,
    teacher=dict(weight=0.3),
    augmentation=dict(lidar=dict(share=0.25), paste=dict(share=0.2)),
    sources={
        "camvid": dict(weight=5.0),
        "kitti-frames": dict(weight=7.0, scale=(0.7, 2.2)),
        "simulated": dict(weight=10.0, scale=(0.8, 1.8)),
    },
)
