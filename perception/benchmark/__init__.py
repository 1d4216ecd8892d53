# SPDX-License-Identifier: Apache-2.0
"""Benchmarks: timing side by side, peers from mmseg, the machine, and the tables of results."""
