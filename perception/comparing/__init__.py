# SPDX-License-Identifier: Apache-2.0
"""`perception compare`: networks trained, scored and timed alike, in one table."""
