# SPDX-License-Identifier: Apache-2.0
# dual_branch_s with a head that tells vehicles and people apart; `--init dual_branch_s` begins with the shipped
# weights, and `--recipe instances` trains the head alone.
_base_ = "dual_branch_s.py"

model = dict(auxiliary_head=dict(type="InstanceHead", in_channels=(32, 64, 128, 256), channels=32))
