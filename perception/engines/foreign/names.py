# SPDX-License-Identifier: Apache-2.0
"""Names of classes that other networks have: lists of well-known data sets, and what each name is of our classes."""

from __future__ import annotations

_COCO = (
    "person|bicycle|car|motorcycle|airplane|bus|train|truck|boat|traffic light|fire hydrant|stop sign|parking meter|"
    "bench|bird|cat|dog|horse|sheep|cow|elephant|bear|zebra|giraffe|backpack|umbrella|handbag|tie|suitcase|frisbee|"
    "skis|snowboard|sports ball|kite|baseball bat|baseball glove|skateboard|surfboard|tennis racket|bottle|wine glass|"
    "cup|fork|knife|spoon|bowl|banana|apple|sandwich|orange|broccoli|carrot|hot dog|pizza|donut|cake|chair|couch|"
    "potted plant|bed|dining table|toilet|tv|laptop|mouse|remote|keyboard|cell phone|microwave|oven|toaster|sink|"
    "refrigerator|book|clock|vase|scissors|teddy bear|hair drier|toothbrush"
)

_SKIPPED = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
"""Ids of COCO's paper that its data has not: torchvision's networks count them."""

_CITYSCAPES = (
    "road|sidewalk|building|wall|fence|pole|traffic light|traffic sign|vegetation|terrain|sky|person|rider|car|truck|"
    "bus|train|motorcycle|bicycle"
)


def _with_gaps() -> tuple[str, ...]:
    names = iter(_COCO.split("|"))
    return ("background", *("(no class)" if number in _SKIPPED else next(names) for number in range(1, 91)))


NAMES: dict[str, tuple[str, ...]] = {
    "coco": tuple(_COCO.split("|")),
    "coco-91": _with_gaps(),
    "cityscapes": tuple(_CITYSCAPES.split("|")),
}
"""Names by class id. coco: the 80 in a row, as YOLO counts; coco-91: 0 is background and ids have gaps, as torchvision
counts; cityscapes: the 19 trainIds."""

_KNOWN = {
    "background": "background __background__",
    "road": "road",
    "vehicle": "vehicle car truck bus train tram motorcycle motorbike bicycle van caravan trailer",
    "pedestrian": "pedestrian person rider people",
}


def known(name: str) -> str | None:
    """Which of our classes the name means wherever it is used; None for any other."""
    return next((ours for ours, names in _KNOWN.items() if name.lower() in names.split()), None)
