# SPDX-License-Identifier: Apache-2.0
"""Pages that are made from the commands and their reports: `python -m perception.cli.documents.NAME` writes one."""
