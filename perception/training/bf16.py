# SPDX-License-Identifier: Apache-2.0
"""Mixed precision that works on CPUs too: mmengine's own AmpOptimWrapper wants a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class Bf16OptimWrapper(OptimWrapper):
    """Runs the forward pass in bfloat16, which needs no loss scaling; about twice as fast with AVX-512 BF16."""

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[Any]:
        """See OptimWrapper."""
        with super().optim_context(model), torch.autocast(get_device(), torch.bfloat16):
            yield
