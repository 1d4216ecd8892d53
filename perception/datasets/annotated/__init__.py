# SPDX-License-Identifier: Apache-2.0
"""Masks that people draw in a tool: written for it to begin with, and read back as labels. A file per tool."""
