"""Run the node's tests on the ROS 2 distributions whose packages are on PyPI.

    python benchmarks/ros_distributions.py --folder /tmp/distributions [--distributions jazzy kilted]

Makes a virtual environment for each distribution, with this checkout and that distribution's rclpy, messages
and Fast DDS; existing ones are reused. Runs test/adu_depth_ros in each, prints one line per distribution, and
exits with status 1 if any failed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DISTRIBUTIONS = ("jazzy", "kilted")
OF_THIS_PYTHON = ("LD_LIBRARY_PATH", "AMENT_PREFIX_PATH", "_ROS_WHEELS_BOOTSTRAP_COMPLETE")
"""Environment variables through which ROS wheels locate their libraries at Python's startup."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="folder for the environments")
    parser.add_argument(
        "--distributions", nargs="+", default=DISTRIBUTIONS, help=f"({' '.join(DISTRIBUTIONS)})"
    )
    arguments = parser.parse_args()
    failed = False
    for distribution in arguments.distributions:
        python = make_environment((arguments.folder / distribution).absolute(), distribution)
        environment = {name: value for name, value in os.environ.items() if name not in OF_THIS_PYTHON}
        environment |= {
            "PYTHONPATH": str(ROOT),
            "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            "OMP_NUM_THREADS": "1",
        }
        command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test/adu_depth_ros"]
        tested = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        if tested.returncode:
            print(tested.stdout, tested.stderr, file=sys.stderr)
        print(f"{distribution}: {tested.stdout.strip().splitlines()[-1]}", flush=True)
        failed |= tested.returncode != 0
    return int(failed)


def make_environment(folder: Path, distribution: str) -> Path:
    """Make an environment with the packages of a distribution and this checkout; return its Python.

    :raises subprocess.CalledProcessError: if pip cannot install a package, such as for a distribution not on
        PyPI
    """
    python = folder / "bin" / "python"
    done = folder / "installed"
    if done.exists():
        return python
    venv.create(folder, with_pip=True, clear=True)
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    package = f"{ROOT}[openvino,bags,synthetic]"
    command = [*pip, "pytest", "hypothesis", *ros_packages(distribution), "--editable", package]
    subprocess.run(command, check=True)
    done.touch()
    return python


def ros_packages(distribution: str) -> list[str]:
    """Packages of the extra ``ros`` in setup.py, for another distribution."""
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    return [f"ros-{distribution}-{name}" for name in re.findall(r'"ros-jazzy-([\w-]+)"', setup)]


if __name__ == "__main__":
    sys.exit(main())
