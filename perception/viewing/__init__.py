# SPDX-License-Identifier: Apache-2.0
"""Frames and predictions for Rerun: logging, layout, and the viewer."""
