# dual_branch_s with all that `training` can do switched on: soft labels as they are, 3D boxes and ground against wrong
# ones, copy-paste, weather, LiDAR faults, and losses for small things. The shipped weights' last
# stages before dual_branch_s_tuned used it.
_base_ = "dual_branch_s.py"

training = dict(
    losses=[
        dict(type="WeightedCrossEntropy", class_weight=(1.0, 1.0, 1.0, 1.2)),
        dict(type="LovaszSoftmax", loss_weight=0.3),
        dict(type="BoundaryCrossEntropy", radius=2, loss_weight=0.2),
    ],
    soft=dict(temperature=1.0, weight=1.0),
    teacher=dict(temperature=2.0, weight=0.5),
    augmentation=dict(
        weather=dict(fog=0.04, darkness=0.08, motion_blur=0.08, jpeg=0.15),
        lidar=dict(share=0.4, rotation=1.0, translation=0.05, delay=0.1, beams=0.3, dropout=0.5, intensity=0.4),
        paste=dict(share=0.3, most=3, pedestrians=0.6),
    ),
    sources={
        "camvid": dict(weight=4.0, donors=("camvid", "idd-lite", "simulated"), horizon=0.49),
        "idd-lite": dict(weight=6.0, donors=("idd-lite", "camvid"), horizon=0.48),
        "kitti-frames": dict(weight=4.0, soft=True, boxes=True),
        "roadscene": dict(weight=1.5, soft=True),
        "msrs": dict(weight=0.2, soft=True),
        "simulated": dict(weight=8.0, donors=("simulated",)),
    },
)
