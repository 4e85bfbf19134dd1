"""The ``adu_depth`` command: finds the sub-command's module and runs it.

Each module in ``commands/`` has ``add_arguments(parser)`` and ``run(arguments) -> int``. Only the
chosen one is imported, so ``adu_depth --help`` is quick and a missing extra matters only to the
command that needs it.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import sys
import textwrap
from collections.abc import Collection

import adu_depth_core
from adu_depth_core import interrupts
from adu_depth_core.completion import SHELLS, PrintCompletion
from adu_depth_core.errors import UsageError, UserError

COMMANDS = {
    "predict": "depth and uncertainty for images, folders and videos",
    "evaluate": "evaluate a model on data sets",
    "synth-drive": "generate a synthetic drive with exact depth, as a bag and as a KITTI 2015 folder",
    "make-bag": "turn a KITTI-style folder (images, calibration, times) into a rosbag",
    "evaluate-bag": "replay bags through models and report accuracy, uncertainty, stability and speed",
    "calibrate": "evaluate a model on your own drive and write a profile of its camera",
    "adapt": "fine-tune a student on your own drive",
    "extract": "turn a bag into a folder of stereo pairs with depth for training",
    "make-labels": "label stereo pairs without LiDAR by stereo matching, for training",
    "compare-bags": "check that a live node's recorded output equals the offline prediction",
    "train": "train a network",
    "export": "export a student as ONNX in one precision, for one input size or any, with its card",
    "build-engine": "build a TensorRT engine from an exported ONNX",
    "inspect-engine": "show the layers of a TensorRT engine and their precisions",
    "verify-engine": "compare a TensorRT engine with the FP32 original, on the target GPU",
    "benchmark": "measure latency and throughput of models and engines",
    "models": "list the installed models: size, licence, accuracy",
    "doctor": "check what this machine supports, and what to install for the rest",
}


class HelpFormatter(argparse.HelpFormatter):
    """Wraps paragraphs to the terminal's width, and keeps indented lines, such as examples, as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines: list[str] = []
        for line in text.strip().splitlines():
            continues = lines and lines[-1] and not lines[-1].startswith(" ") and line[:1] not in ("", " ")
            if continues:
                lines[-1] += f" {line}"
            else:
                lines.append(line)
        return "\n".join(
            line if line.startswith(" ") else textwrap.fill(line, width, break_on_hyphens=False)
            for line in lines
        )


def _parser(chosen: Collection[str]) -> argparse.ArgumentParser:
    """The parser, with the arguments of the chosen commands."""
    parser = argparse.ArgumentParser(
        prog="adu_depth",
        description="Metric depth and calibrated uncertainty from one camera.",
        epilog="`adu_depth COMMAND --help` explains a command. Example: adu_depth doctor. "
        "All sizes are HEIGHTxWIDTH, such as 375x1242. "
        "Exit status: 0 done, 1 error, 2 invalid options, 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"adu_depth {adu_depth_core.__version__}")
    parser.add_argument(
        "--print-completion",
        action=PrintCompletion,
        choices=SHELLS,
        build=_whole_parser,
        help='print a completion script: eval "$(adu_depth --print-completion bash)"',
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        subparser = subparsers.add_parser(
            name, help=summary, description=summary, formatter_class=HelpFormatter
        )
        if name in chosen:
            module = importlib.import_module(f"adu_depth_core.commands.{name.replace('-', '_')}")
            module.add_arguments(subparser)
            subparser.set_defaults(run=module.run)
    return parser


def _whole_parser() -> argparse.ArgumentParser:
    """The parser with the arguments of every command whose packages are installed."""

    def can_be_imported(name: str) -> bool:
        try:
            importlib.import_module(f"adu_depth_core.commands.{name.replace('-', '_')}")
        except (ImportError, UserError):
            return False
        return True

    return _parser([name for name in COMMANDS if can_be_imported(name)])


def _parse(parser: argparse.ArgumentParser, argv: list[str]) -> argparse.Namespace:
    """Parse; ``key=value`` overrides may stand before and after options, which argparse alone refuses."""
    arguments, rest = parser.parse_known_args(argv)
    if rest and not (hasattr(arguments, "overrides") and all("=" in r and r[0] != "-" for r in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if rest:
        arguments.overrides = [*arguments.overrides, *rest]
    return arguments


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    It is 0 for success, 1 for an error that the user can fix, 2 for invalid options, 130 for an interrupt.
    """
    argv = sys.argv[1:] if argv is None else argv
    chosen = next((argument for argument in argv if not argument.startswith("-")), None)
    try:
        arguments = _parse(_parser([chosen] if chosen else []), argv)
        arguments.command_line = shlex.join(["adu_depth", *argv])  # for the record of a result
        return arguments.run(arguments)
    except UserError as error:
        return _told(str(error), 2 if isinstance(error, UsageError) else 1)
    except BrokenPipeError:  # the reader, such as `head`, closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # disk full, folder removed, no permission to read
        where = f"{error.filename}: " if error.filename else ""
        return _told(f"{where}{error.strerror or error}")
    except MemoryError:
        return _told("out of memory; choose smaller images or batches, or fewer threads")
    except KeyboardInterrupt:
        print(interrupts.MESSAGE, file=sys.stderr)
        return interrupts.STATUS


def _told(error: str, status: int = 1) -> int:
    print(f"adu_depth: error: {error}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
