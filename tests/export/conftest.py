# SPDX-License-Identifier: Apache-2.0
from helpers.networks import camera_alone, exported, exported_onnx, network_input, own_cache, told_apart, weights

__all__ = ["camera_alone", "exported", "exported_onnx", "network_input", "own_cache", "told_apart", "weights"]
