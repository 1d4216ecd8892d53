# SPDX-License-Identifier: Apache-2.0
"""Networks of other libraries that find vehicles and people one by one, to compare with: trained on the same data.

Each is trained and exported by its own library, which an extra installs and nothing else here imports. The result is an
ONNX file with a `model.yaml` beside it, which every command takes as a model.
"""

BASELINES = {"mask_rcnn": "maskrcnn", "yolov8n_seg": "yolo"}
"""The extra that each needs, by name."""
