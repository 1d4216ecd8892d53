# SPDX-License-Identifier: Apache-2.0
"""`perception check`: examines what a vehicle sends before it is trusted."""
