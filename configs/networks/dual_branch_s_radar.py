# dual_branch_s with the channels of a radar behind the others; `--init dual_branch_s` begins with the shipped weights.
# Drives to learn from: `perception simulate --with radar`.
_base_ = "dual_branch_s.py"

model = dict(backbone=dict(aux_stem=dict(modalities=dict(radar=4))))
