# SPDX-License-Identifier: Apache-2.0
"""Labels for whole recordings, offline: every frame, none dropped, and going on where an earlier run stopped."""
