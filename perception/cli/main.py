# SPDX-License-Identifier: Apache-2.0
"""The command line: finds the command, parses its options, runs it, and prints user errors as one clear line.

A command is a module `perception.cli.<name>`, hyphens as underscores, with SUMMARY, add_arguments(parser), run(args)
and perhaps EXAMPLES. It imports heavy modules inside `run`, so that every --help is instant.
"""

from __future__ import annotations

import argparse
import difflib
import errno
import importlib
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import NoReturn, Protocol, cast

import perception
from perception import registry
from perception.errors import PerceptionError
from perception.storage import Target, shown, writing

GROUPS: dict[str, tuple[str, ...]] = {
    "See it work": ("demo", "view", "simulate", "explain", "doctor"),
    "On the vehicle": ("init", "check", "node", "replay", "kitti2bag", "label"),
    "Make it better": (
        "select", "train", "pseudo-label", "prune", "eval", "compare", "export", "export-check", "bench",
    ),
}  # fmt: skip
"""Every command, by its purpose, in the order of the overview."""

OVERVIEW_EXAMPLES = """\
  perception demo -o out/demo                simulated drive → node → masks, scored, with a report
  perception node --ros-args -r image:=/camera/image_rect_color -r points:=/velodyne_points
  perception train --help                    options and examples of one command
"""

MISUSE, INTERRUPTED, BROKEN_PIPE = 2, 130, 141
"""Exit codes: an error that the user can correct; Ctrl-C; the reader of our output has closed it."""

EXTRA_OF_MODULE = {
    **dict.fromkeys(("torch", "mmengine", "mmcv", "mmseg"), "train"),
    "rclpy": "node",
    "open3d": "sim",
    "matplotlib": "report",
    "rerun": "view",
    "foxglove": "foxglove",
}


class Command(Protocol):
    """What a module `perception.cli.<name>` defines. PASS_THROUGH and EXAMPLES may be left out, as may CONTINUES, true
    for a command that goes on with what its output has, and OWN_OUTPUT, true for one that uploads --output itself."""

    SUMMARY: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSE, f"{self.prog}: {message} (see `{self.prog} --help`)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line with `argv` (without the program's name; default sys.argv). Returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments or bool(os.environ.get("PERCEPTION_DEBUG"))
    try:
        try:
            return _dispatch(arguments)
        finally:
            sys.stdout.flush()  # here, where a broken pipe is still caught
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter complains at its exit
        return BROKEN_PIPE
    except (KeyboardInterrupt, RuntimeError) as error:
        # OpenVINO turns a Ctrl-C that arrives while it calls Python into a RuntimeError.
        if not isinstance(error, KeyboardInterrupt) and KeyboardInterrupt.__name__ not in str(error):
            raise
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except (PerceptionError, OSError, ImportError) as error:
        line = _explain(error)
        if debug or line is None:
            raise
        print(f"perception: {shown(line)}", file=sys.stderr)
        return MISUSE


def command_names() -> list[str]:
    """Every command's name, in the order of the overview."""
    return [name for names in GROUPS.values() for name in names]


def load(name: str) -> Command:
    """The module of the command `name`."""
    return cast(Command, importlib.import_module(f"perception.cli.{name.replace('-', '_')}"))


def make_parser(name: str) -> argparse.ArgumentParser:
    """The parser of the command `name`, with all its options."""
    command = load(name)
    examples = getattr(command, "EXAMPLES", "")
    parser = _Parser(
        prog=f"perception {name}",
        description=command.SUMMARY,
        epilog=f"examples:\n{textwrap.indent(textwrap.dedent(examples).strip(), '  ')}" if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    parser.add_argument(
        "--import",
        action="append",
        metavar="MODULE",
        help="a Python module to import first, which registers your own data sets, engines …; repeatable",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def overview() -> str:
    """The text of `perception --help`."""
    lines = ["usage: perception <command> [options]", "", str(perception.__doc__), ""]
    for group, names in GROUPS.items():
        lines += [f"{group}:", *(f"  {name:<12} {load(name).SUMMARY}" for name in names), ""]
    lines += ["examples:", OVERVIEW_EXAMPLES.rstrip(), ""]
    lines += ["`perception <command> --help` explains a command; --version prints the version;"]
    lines += ["--import MODULE adds your own data sets, sensors, networks, engines (docs/extending.md);"]
    lines += ["--debug after a command, or PERCEPTION_DEBUG=1, shows the traceback of an error."]
    return "\n".join(lines)


def _dispatch(arguments: list[str]) -> int:
    if arguments[:1] == ["--debug"]:
        arguments = [*arguments[1:2], "--debug", *arguments[2:]]
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    arguments = _import(arguments)
    name = arguments[0] if arguments else "--help"
    if name in ("-h", "--help"):
        print(overview())
        return 0
    if name == "--version":
        print(f"perception {perception.__version__}")
        return 0
    if name not in command_names():
        nearest = difflib.get_close_matches(name, command_names(), n=1)
        hint = f"did you mean `perception {nearest[0]}`?" if nearest else f"commands: {', '.join(command_names())}"
        print(f"perception: no command {name!r}; {hint}", file=sys.stderr)
        return MISUSE
    return _run(load(name), _parse(name, arguments[1:]))


def _run(command: Command, args: argparse.Namespace) -> int:
    """Run the command; what it writes to an object store is uploaded when it is complete."""
    own = {"output"} if getattr(command, "OWN_OUTPUT", False) else set()
    targets = [value for name, value in vars(args).items() if isinstance(value, Target) and name not in own]
    if os.environ.get("RANK", "0") != "0":
        targets = []  # of processes that train together, torchrun's first one writes
    with ExitStack() as stack:
        for path in targets:
            stack.enter_context(writing(path, getattr(command, "CONTINUES", False)))
        return command.run(args)


def _import(arguments: list[str]) -> list[str]:
    """Import the modules of --import, wherever it stands; returns the other arguments. Choices may come from them."""
    ours, rest, names = [], list(arguments), []
    while rest and rest[0] != "--ros-args":
        word = rest.pop(0)
        if word == "--import" and rest:
            names.append(rest.pop(0))
        elif word.startswith("--import="):
            names.append(word.partition("=")[2])
        else:
            ours.append(word)
    registry.import_modules(names)
    registry.load("sensors")
    return [*ours, *rest]


def _parse(name: str, arguments: list[str]) -> argparse.Namespace:
    """Parse a command's arguments; if it takes ROS arguments, --ros-args and everything after go to `args.rest`."""
    rest: list[str] = []
    if getattr(load(name), "PASS_THROUGH", False) and "--ros-args" in arguments:
        start = arguments.index("--ros-args")
        arguments, rest = arguments[:start], arguments[start:]
    parser = make_parser(name)
    args, unknown = parser.parse_known_args(arguments)
    if unknown:
        options = [option for action in parser._actions for option in action.option_strings]
        nearest = difflib.get_close_matches(unknown[0].split("=")[0], options, n=1)
        parser.error(f"unknown argument {unknown[0]!r}" + (f", did you mean {nearest[0]}?" if nearest else ""))
    args.rest = rest
    return args


def _explain(error: Exception) -> str | None:
    """One line for an error that the user can correct; None for a defect in this program."""
    if isinstance(error, PerceptionError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{error.filename or 'a file'}: the disk is full; free space, or write elsewhere, and run it again"
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else None
    if isinstance(error, ImportError) and "cannot open shared object file" in str(error):
        libraries = "libusb-1.0-0 libgl1 libegl1 libx11-6 libglib2.0-0"
        return f"{error}; on Debian or Ubuntu: sudo apt-get install {libraries}"
    if isinstance(error, ModuleNotFoundError):
        extra = EXTRA_OF_MODULE.get((error.name or "").split(".")[0])
        if extra:
            return f"{error.name} is not installed: pip install 'multimodal_perception[{extra}]'"
    return None
