# SPDX-License-Identifier: Apache-2.0
"""What the authors of a network train it with, as the `train` of its config says: optimiser, rate and decay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mmengine.config import Config

from perception.errors import ModelError
from perception.settings import Settings, nearest
from perception.training.recipe import Recipe

OPTIMISERS: dict[str, dict[str, Any]] = {
    "Adam": dict(type="Adam"),
    "AdamW": dict(type="AdamW"),
    "SGD": dict(type="SGD", momentum=0.9),
}
"""PyTorch's, by the name that a config gives."""


@dataclass(frozen=True)
class Habits(Settings):
    """The `train` of a network's config, which goes before the recipe's values, and behind the command line's.

    optimizer: of OPTIMISERS. learning_rate, weight_decay: None takes the recipe's. Raises ModelError for settings that
    there are not, and for impossible values.
    """

    optimizer: str = "AdamW"
    learning_rate: float | None = None
    weight_decay: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.optimizer not in OPTIMISERS:
            known = nearest(self.optimizer, OPTIMISERS)
            raise ModelError(f"train.optimizer: no optimiser is called {self.optimizer!r}{known}")
        if self.learning_rate is not None and self.learning_rate <= 0:
            raise ModelError(f"train.learning_rate: expected more than 0, got {self.learning_rate!r}")
        if self.weight_decay is not None and self.weight_decay < 0:
            raise ModelError(f"train.weight_decay: expected 0 or more, got {self.weight_decay!r}")

    def over(self, recipe: Recipe) -> Recipe:
        """The recipe with these values."""
        return replace(
            recipe,
            learning_rate=recipe.learning_rate if self.learning_rate is None else self.learning_rate,
            weight_decay=recipe.weight_decay if self.weight_decay is None else self.weight_decay,
        )

    def optimiser(self, learning_rate: float, weight_decay: float) -> dict[str, Any]:
        """The config of mmengine's registry."""
        return dict(OPTIMISERS[self.optimizer], lr=learning_rate, weight_decay=weight_decay)


def habits_of(config: Config) -> Habits:
    """Those of a network's config; the recipe's own where it has no `train`. Raises ModelError as `Habits` does."""
    given = config.get("train", {})
    if not isinstance(given, dict):
        raise ModelError(f"{config.filename}: train: expected dict(learning_rate=…, …), got {given!r}")
    try:
        return Habits(**given)
    except ModelError as error:
        raise ModelError(f"{config.filename}: {error}") from error
