# SPDX-License-Identifier: Apache-2.0
"""Labels for whole recordings, offline: every frame, continuing where an earlier run stopped."""
