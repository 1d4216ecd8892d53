# SPDX-License-Identifier: Apache-2.0
"""nuScenes' layout: its tables, a drive from the view of one camera, and keyframes with the classes of their points."""
