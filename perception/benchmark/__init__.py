# SPDX-License-Identifier: Apache-2.0
"""How fast: timing side by side, peers from mmseg, the machine that it was, and the tables that come of it."""
