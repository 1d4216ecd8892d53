# SPDX-License-Identifier: Apache-2.0
# Half the time of dual_branch_s, from which `perception prune --keep 0.3` made it: one wide-kernel block where there
# were three, the auxiliary branch from stride 8 on, and a narrower head.
_base_ = "dual_branch_s.py"

model = dict(
    backbone=dict(
        rgb=dict(hidden=((16,), (16, 16), (16, 16), (16, 16)), wide=(0, 0, 1, 1)),
        aux_stem=dict(stride=4),
        aux=dict(hidden=((16,), (16,), (16,), (32,)), wide=(0, 0, 0, 0)),
    ),
    decode_head=dict(channels=32),
)
