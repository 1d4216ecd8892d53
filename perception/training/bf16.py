# SPDX-License-Identifier: Apache-2.0
"""Mixed precision that also works on CPUs: mmengine's own AmpOptimWrapper needs a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn

from perception.engines.precision import halves_bf16


@OPTIM_WRAPPERS.register_module()
class Bf16OptimWrapper(OptimWrapper):
    """Runs the forward pass in bfloat16, which needs no loss scaling; for devices that support it."""

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[Any]:
        """See OptimWrapper."""
        with super().optim_context(model), torch.autocast(get_device(), torch.bfloat16):
            yield


def computes_in_bf16() -> bool:
    """Whether the training device is faster in bfloat16 than in float32.

    With AVX-512 BF16, AMD's processors take half the time of float32, and Intel's without AMX 1.5 times as long. One
    that has to emulate bfloat16, such as one with only AVX2, takes six times as long.
    """
    device = get_device()
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    found = torch.cpu.get_capabilities()
    supported = any(found.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return device != "cpu" or (supported and not halves_bf16())
