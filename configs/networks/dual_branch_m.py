# SPDX-License-Identifier: Apache-2.0
# The network that `perception prune` made dual_branch_s from, and that taught it since (`perception train --teacher`).
_base_ = "dual_branch_s.py"

aux_channels = (24, 32, 64, 96)

model = dict(
    backbone=dict(
        rgb=dict(hidden=((16,), (48, 48), (96, 64), (128, 128))),
        aux=dict(channels=aux_channels, hidden=((24,), (32,), (64,), (96,)), wide=(0, 0, 1, 1)),
        aux_channels=aux_channels,
    ),
    decode_head=dict(channels=32),
)
