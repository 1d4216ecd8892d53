# SPDX-License-Identifier: Apache-2.0
"""Networks that were not made here: any ONNX or OpenVINO file, described by a `model.yaml` beside it.

The description says how the file is fed and how its output is read; an engine made of both gives what every engine
gives. What is not described, or cannot be, is refused when the file is opened.
"""
