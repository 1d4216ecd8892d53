# SPDX-License-Identifier: Apache-2.0
"""Runs a launch file, as a program: launch_file.py FILE name:=value… By ROS's own launch where that is installed.

There is no wheel of launch and launch_ros. Elsewhere stand-ins take their place that know what our launch files use and
nothing more: an argument that launch does not have is a TypeError here too, an undeclared one a KeyError. The command
lines of `Node` are those of launch_ros on Jazzy, against which the tests have passed as well.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml


class LaunchContext:
    """The arguments of the launch file by name."""

    def __init__(self, arguments: dict[str, str]) -> None:
        self.launch_configurations = arguments
        self.commands: list[list[str]] = []


class LaunchConfiguration:
    """The value of an argument."""

    def __init__(self, variable_name: str) -> None:
        self._name = variable_name

    def perform(self, context: LaunchContext) -> str:
        """The text that was given, else the default; KeyError where it was not declared."""
        return context.launch_configurations[self._name]


class ExecutableInPackage:
    """The path of a package's executable, by the ament index."""

    def __init__(self, executable: str, package: str) -> None:
        self._executable, self._package = executable, package

    def perform(self, _: LaunchContext) -> str:
        """The path; PackageNotFoundError or FileNotFoundError where there is none."""
        from ament_index_python.packages import get_package_prefix

        return str((Path(get_package_prefix(self._package)) / "lib" / self._package / self._executable).resolve(True))


class DeclareLaunchArgument:
    """Makes an argument known."""

    def __init__(self, name: str, *, default_value: str, description: str) -> None:
        self._name, self._default, self._description = name, default_value, description

    def execute(self, context: LaunchContext) -> None:
        """Gives the argument its default where the caller gave nothing."""
        context.launch_configurations.setdefault(self._name, self._default)


class OpaqueFunction:
    """Runs the actions that a function returns."""

    def __init__(self, *, function: Callable[[LaunchContext], Sequence[Any]]) -> None:
        self._function = function

    def execute(self, context: LaunchContext) -> None:
        """Calls the function."""
        for action in self._function(context):
            action.execute(context)


class ExecuteProcess:
    """Starts a command of words and substitutions."""

    def __init__(self, *, cmd: Sequence[Any], output: str, respawn: bool = False, respawn_delay: float = 0.0) -> None:
        self._command = list(cmd)

    def execute(self, context: LaunchContext) -> None:
        """Notes the command; all start when the launch file is through."""
        context.commands.append([word if isinstance(word, str) else word.perform(context) for word in self._command])


class Node(ExecuteProcess):
    """Starts an executable of a package with ROS's arguments."""

    def __init__(
        self,
        *,
        package: str,
        executable: str,
        name: str | None = None,
        namespace: str | None = None,
        parameters: Sequence[str | dict[str, Any]] = (),
        remappings: Sequence[tuple[str, str]] = (),
        arguments: Sequence[str] = (),
        ros_arguments: Sequence[str] = (),
        output: str,
        respawn: bool = False,
        respawn_delay: float = 0.0,
    ) -> None:
        words: list[Any] = [ExecutableInPackage(executable, package), *arguments]
        words += ["--ros-args", *ros_arguments] if ros_arguments else []
        words += ["--ros-args"] + (["-r", f"__node:={name}"] if name else [])
        if namespace:
            words += ["-r", f"__ns:=/{namespace.strip('/')}"]
        for given in parameters:
            words += ["--params-file", given if isinstance(given, str) else _written(given, name)]
        for source, target in remappings:
            words += ["-r", f"{source}:={target}"]
        super().__init__(cmd=words, output=output, respawn=respawn, respawn_delay=respawn_delay)


def _written(parameters: dict[str, Any], name: str | None) -> str:
    with tempfile.NamedTemporaryFile("w", prefix="launch_params_", delete=False) as file:
        yaml.dump({f"/**/{name}" if name else "/**": {"ros__parameters": parameters}}, file)
    return file.name


def _stand_in() -> None:
    names: dict[str, dict[str, Any]] = {
        "launch": {"Action": ExecuteProcess, "LaunchContext": LaunchContext, "LaunchDescription": list},
        "launch.actions": {each.__name__: each for each in (DeclareLaunchArgument, ExecuteProcess, OpaqueFunction)},
        "launch.substitutions": {"LaunchConfiguration": LaunchConfiguration},
        "launch_ros": {},
        "launch_ros.actions": {"Node": Node},
        "launch_ros.substitutions": {"ExecutableInPackage": ExecutableInPackage},
    }
    for name, content in names.items():
        sys.modules[name] = types.ModuleType(name)
        vars(sys.modules[name]).update(content)


def _run_by_stand_in(file: str, arguments: dict[str, str]) -> int:
    _stand_in()
    spec = importlib.util.spec_from_file_location("launch_file", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    context = LaunchContext(arguments)
    for action in module.generate_launch_description():
        action.execute(context)
    started = [subprocess.Popen(command) for command in context.commands]
    return max((process.wait() for process in started), default=0)


def _run_by_launch(file: str, arguments: dict[str, str]) -> int:
    from launch import LaunchDescription, LaunchService
    from launch.actions import IncludeLaunchDescription
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    source = PythonLaunchDescriptionSource(file)
    included = IncludeLaunchDescription(source, launch_arguments=list(arguments.items()))
    service = LaunchService()
    service.include_launch_description(LaunchDescription([included]))
    return int(service.run())


def main() -> int:
    """Runs the file until everything that it started has ended."""
    arguments = dict(argument.split(":=", 1) for argument in sys.argv[2:])
    installed = importlib.util.find_spec("launch_ros") is not None
    return (_run_by_launch if installed else _run_by_stand_in)(sys.argv[1], arguments)


if __name__ == "__main__":
    sys.exit(main())
