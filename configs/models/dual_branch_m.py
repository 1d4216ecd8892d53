# The network that `perception prune` made dual_branch_s from, and that taught it since (`perception train --teacher`).
_base_ = "dual_branch_s.py"

model = dict(
    backbone=dict(
        rgb=dict(hidden=((16,), (48, 48), (96, 64), (128, 128))),
        aux=dict(hidden=((24,), (32,), (64,), (96,))),
    ),
)
