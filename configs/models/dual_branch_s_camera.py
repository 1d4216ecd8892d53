# dual_branch_s_fused the other way round: the camera's branch and the fusion learn, on more real frames, while the
# auxiliary branch and the decode head stay as they are. The last stage of the shipped weights, half of their mean.
_base_ = "dual_branch_s_fused.py"

training = dict(
    iterations=1100,
    learning_rate=3e-4,
    warm_up=100,
    frozen=["backbone.aux", "decode_head."],
    augmentation=dict(subsets=dict(whole=0.7, alone=0.15)),
    sources={
        "camvid": dict(weight=6.0),
        "idd-lite": dict(weight=6.0),
        "kitti-frames": dict(weight=10.0),
        "simulated": dict(weight=8.0),
    },
)
