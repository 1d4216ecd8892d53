# SPDX-License-Identifier: Apache-2.0
"""Which frames of a fleet to label by hand: `perception select`."""
