# dual_branch_s_together for the auxiliary branch, the fusion and the decode head alone: the camera's branch stays as it
# is. With this stage of the shipped weights, four fifths of their mean then, the auxiliary branch and the head got
# some channels and a block more.
_base_ = "dual_branch_s_together.py"

training = dict(
    iterations=6000,
    learning_rate=6e-4,
    warm_up=200,
    frozen=["backbone.rgb."],
    augmentation=dict(subsets=dict(whole=0.75, alone=0.1)),
    sources={
        "camvid": dict(weight=4.0),
        "kitti-frames": dict(weight=6.0),
        "msrs": dict(weight=0.3),
        "simulated": dict(weight=22.0),
    },
)
