# SPDX-License-Identifier: Apache-2.0
"""`perception check`: what a vehicle sends, looked at before anything is trusted."""
