# SPDX-License-Identifier: Apache-2.0
"""`perception check`: examines a vehicle's data before it is used."""
