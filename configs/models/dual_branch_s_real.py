# dual_branch_s_together with what real sensors need: more real sets, depth from real stereo, thermal images as cameras
# send them, sensors that lie, and each side taught alone beside what they say together. The last stage of the shipped
# weights.
_base_ = "dual_branch_s_together.py"

training = dict(
    batch_size=8,
    iterations=1500,
    learning_rate=1e-3,
    warm_up=60,
    sides=dict(alone=0.5, distil=0.3),
    augmentation=dict(
        weather=dict(fog=0.04, darkness=0.08, motion_blur=0.08, jpeg=0.15),
        lidar=dict(share=0.35, rotation=2.0, translation=0.08, delay=0.1, beams=0.3, dropout=0.5, intensity=0.4),
        depth=dict(share=0.5),
        thermal=dict(control=0.5, local=0.15, pattern=0.2, blur=0.2, inverted=0.05, rim=0.1, narrow=0.2),
        patches=dict(share=0.25),
        paste=dict(share=0.3, most=3, pedestrians=0.7),
        subsets=dict(whole=0.7, alone=0.12),
    ),
    sources={
        "camvid": dict(weight=7.0, donors=("camvid", "idd-lite", "penn-fudan", "simulated"), horizon=0.49),
        "idd-lite": dict(weight=8.0, donors=("idd-lite", "camvid", "penn-fudan"), horizon=0.48),
        "cityscapes-small": dict(
            split="train", weight=14.0, scale=(1.1, 3.0), donors=("penn-fudan", "cityscapes-small"), horizon=0.45
        ),
        "kitti-frames": dict(weight=4.0, soft=True, boxes=True, scale=(0.7, 2.2)),
        "kitti-stereo": dict(split="train", weight=5.0, soft=True, boxes=True, scale=(0.7, 2.0)),
        "roadscene": dict(weight=6.0, soft=True, scale=(0.7, 2.0)),
        "msrs": dict(weight=0.5, soft=True),
        "msrs-more": dict(split="train", weight=13.0, soft=True, scale=(0.6, 1.8)),
        "penn-fudan": dict(split="train", weight=2.0, scale=(0.3, 1.5), tiles=3, horizon=0.4),
        "people": dict(dataset="pseudo", split="all", weight=6.0, soft=True, scale=(0.25, 1.6), tiles=2),
        "stereo": dict(dataset="pseudo", split="all", weight=4.0, soft=True, scale=(0.6, 1.4)),
        "simulated": dict(weight=13.0),
    },
)
