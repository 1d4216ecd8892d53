# dual_branch_s_fused for the auxiliary branch and the fusion alone: what the camera sees, and how features become
# labels, stays as it is, so that all that is learnt is what the other sensors add.
_base_ = "dual_branch_s_fused.py"

training = dict(iterations=4000, frozen=["backbone.rgb.", "decode_head."], sources={"simulated": dict(weight=26.0)})
