# SPDX-License-Identifier: Apache-2.0
"""Frames and what was made of them, for Rerun: what is logged and how it is laid out, and the viewer that shows it."""
