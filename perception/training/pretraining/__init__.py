# SPDX-License-Identifier: Apache-2.0
"""Learning without labels: weights to begin with."""
