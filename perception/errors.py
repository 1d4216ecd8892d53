# SPDX-License-Identifier: Apache-2.0
"""Errors that a user can cause and mend; the command line prints them as one line."""

from __future__ import annotations


class PerceptionError(Exception):
    """Base of every error that this package raises on purpose: says what, where and how to mend it."""


class FrameError(PerceptionError, ValueError):
    """A frame that cannot be used: no modality, wrong shape or dtype, missing calibration."""


class ModelError(PerceptionError):
    """Weights, engine files or configs that are missing, broken or do not fit together."""


class DataError(PerceptionError):
    """A data set, drive or bag that is missing, truncated or not what its layout promises."""


class MessageError(PerceptionError, ValueError):
    """A ROS message whose content contradicts its own description."""
