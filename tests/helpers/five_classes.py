# SPDX-License-Identifier: Apache-2.0
# A network of five classes, as one's own config adds one: bicycles apart from vehicles.
_base_ = "../../configs/networks/dual_branch_s.py"

classes = [dict(name="bicycle", colour=(255, 200, 0), within="vehicle", takes=dict(camvid=(10,), cityscapes=(33,)))]
