# SPDX-License-Identifier: Apache-2.0
"""Readers of public data sets: each is a Sequence of `perception.sample.Sample`, read lazily.

`perception.datasets.registry.open_dataset(name, root, split)` opens one by name.
"""
