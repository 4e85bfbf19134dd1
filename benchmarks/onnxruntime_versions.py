"""Exports in every precision with several releases of ONNX Runtime; its GPU package lags behind.

    python benchmarks/onnxruntime_versions.py --folder /tmp/releases [--releases 1.24.* 1.28.* 1.31.* newest]

Makes a virtual environment for each release with the pip that runs this script; it contains only that release
and inherits everything else. Existing environments are reused. Runs the tests of ``adu_depth export`` in
each, prints one line per release, and exits with status 1 if any failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASES = ("1.24.*", "1.28.*", "1.31.*", "newest")
TESTS = ("test/adu_depth_core/commands/test_export.py", "test/adu_depth_core/deploy/test_half.py")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="folder for the environments")
    parser.add_argument("--releases", nargs="+", default=RELEASES, help=f"({' '.join(RELEASES)})")
    arguments = parser.parse_args()
    failed = False
    for release in arguments.releases:
        python = make_environment(arguments.folder / release.replace("*", "x"), release)
        command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
        # The interpreter's own packages come first on its path, so the release is the one imported.
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        tested = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        version = subprocess.run(
            [python, "-c", "import onnxruntime; print(onnxruntime.__version__)"],
            capture_output=True,
            text=True,
        ).stdout.strip()
        if tested.returncode:
            print(tested.stdout, tested.stderr, file=sys.stderr)
        print(f"onnxruntime {version}: {tested.stdout.strip().splitlines()[-1]}", flush=True)
        failed |= tested.returncode != 0
    return int(failed)


def make_environment(folder: Path, release: str) -> Path:
    """Make an environment with one release of ONNX Runtime on top of this one; return its Python."""
    python = folder / "bin" / "python"
    if python.exists():
        return python
    venv.create(folder, symlinks=True)
    package = "onnxruntime" if release == "newest" else f"onnxruntime=={release}"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", package]
    subprocess.run(pip, check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


if __name__ == "__main__":
    sys.exit(main())
