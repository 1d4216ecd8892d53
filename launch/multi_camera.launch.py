# SPDX-License-Identifier: Apache-2.0
"""The former name of rig.launch.py, for cameras without a file: `rigs:=front,rear`. Use that one."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from launch import LaunchDescription

_SPEC = spec_from_file_location("rig_launch", Path(__file__).with_name("rig.launch.py"))
_RIG = module_from_spec(_SPEC)
_SPEC.loader.exec_module(_RIG)


def generate_launch_description() -> LaunchDescription:
    """What rig.launch.py starts, for two cameras where none are named."""
    print("multi_camera.launch.py is now rig.launch.py, with the same arguments", file=sys.stderr)
    _RIG.ARGUMENTS["rigs"] = ("front,rear", _RIG.ARGUMENTS["rigs"][1])
    return _RIG.generate_launch_description()
