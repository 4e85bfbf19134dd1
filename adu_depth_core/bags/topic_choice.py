"""Selection of a bag's topics for the camera, its calibration and the ground truth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adu_depth_core.bags.messages import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    IMAGE,
    ODOMETRY,
    POINT_CLOUD,
    TRANSFORMS,
)
from adu_depth_core.errors import UserError

TRUTHS = ("depth", "lidar", "stereo", "none")
"""Kinds of ground truth, best first."""

MEASURED = ("depth", "lidar")
"""Those that come from a topic of their own."""

_NOT_A_PHOTO = ("depth", "disparity", "uncertainty", "sigma", "mask", "label", "confidence", "infra")
_IMAGE_KINDS = (IMAGE, COMPRESSED_IMAGE)


@dataclass(frozen=True)
class TopicChoice:
    """Reason for the choice of a topic.

    :param role: ``image``, ``camera_info``, ``ground truth``, ``right image``, ``right camera_info``, ``tf``
    :param topic: its name
    :param type: its message type
    :param reason: ``by option``, or the criterion
    """

    role: str
    topic: str
    type: str
    reason: str


@dataclass(frozen=True)
class TopicOptions:
    """Topics named by the user; None leaves the choice to ``choose_topics``.

    :param truth: one of ``TRUTHS`` or None
    :param where: one of ``MEASURED`` or None: ground truth counts only where this one has a value, too
    """

    image: str | None = None
    camera_info: str | None = None
    truth: str | None = None
    truth_topic: str | None = None
    right_image: str | None = None
    right_info: str | None = None
    where: str | None = None


@dataclass(frozen=True)
class Topics:
    """Topics to read; None where there is none.

    :param truth: one of ``TRUTHS``
    :param truth_topic: depth images or point clouds
    :param right_image: right image of the pair, where it is ground truth or asked for
    :param where: one of ``MEASURED`` that limits where ground truth counts, or None
    :param where_topic: its topic
    :param depth_info: calibration of the depth images, where they have another than the image
    :param poses: topics with transforms or odometry
    :param choices: the same with the reasons
    """

    image: str
    camera_info: str | None
    truth: str
    truth_topic: str | None
    right_image: str | None
    right_info: str | None
    where: str | None
    where_topic: str | None
    depth_info: str | None
    poses: tuple[str, ...]
    choices: tuple[TopicChoice, ...]


def choose_topics(
    types: Mapping[str, str], bag: str, options: TopicOptions | None = None, pair: bool = False
) -> Topics:
    """Choose by type and name, options first.

    The left rectified photo is preferred; its camera_info is the one in its namespace. Ground truth is depth
    for that camera, else a LiDAR whose place is known, else the right image of the pair, else none.

    :param types: message type of each topic of the bag
    :param bag: name of the bag, for errors
    :param pair: the right image is wanted for itself; ground truth is then depth, LiDAR or none
    :raises UserError: if there is no image, a named topic is missing or of another type, or the wanted ground
        truth is not there; the text lists what the bag has
    """
    options = options or TopicOptions()
    chooser = _Chooser(types, bag)
    image = chooser.named("image", options.image, _IMAGE_KINDS) or chooser.best_image()
    space = _namespace(image)
    info = chooser.named("camera_info", options.camera_info, (CAMERA_INFO,))
    info = info or chooser.first("camera_info", [f"{space}/camera_info"], (CAMERA_INFO,), "beside the image")
    right_image = right_info = None
    if pair:
        right_image, right_info = chooser.right(image, options)
        if right_image is None:
            raise UserError(f"bag {bag} has no right image with camera_info for {image}; {chooser.content()}")
    truth, truth_topic = chooser.truth(image, options, [k for k in TRUTHS if not (pair and k == "stereo")])
    if truth == "stereo":
        right_image, right_info = chooser.right(image, options)
    where_topic = None
    if options.where is not None:
        if truth in ("none", options.where):
            raise UserError(
                f"ground truth of bag {bag} is {truth}: it can be limited to where another kind has values, "
                f"not to {options.where}"
            )
        where_topic = chooser.measured(options.where, image, "counts where")
        if where_topic is None:
            raise UserError(f"bag {bag} has no {options.where} for {image}; {chooser.content()}")
    depth_info = chooser.depth_info({truth: truth_topic, options.where: where_topic}.get("depth"), image)
    poses = tuple(name for name, kind in types.items() if kind in (TRANSFORMS, ODOMETRY))
    for name in poses:
        chooser.choices.append(TopicChoice("tf", name, types[name], "by type"))
    return Topics(
        image=image,
        camera_info=info,
        truth=truth,
        truth_topic=truth_topic,
        right_image=right_image,
        right_info=right_info,
        where=options.where,
        where_topic=where_topic,
        depth_info=depth_info,
        poses=poses,
        choices=tuple(chooser.choices),
    )


class _Chooser:
    def __init__(self, types: Mapping[str, str], bag: str) -> None:
        self.types = types
        self.bag = bag
        self.choices: list[TopicChoice] = []

    def named(self, role: str, topic: str | None, kinds: Iterable[str]) -> str | None:
        """A topic that the user named."""
        if topic is None:
            return None
        if self.types.get(topic) not in kinds:
            raise self._missing(role, topic, kinds)
        return self._take(role, topic, "by option")

    def first(self, role: str, names: Iterable[str], kinds: Iterable[str], reason: str) -> str | None:
        """The first of some names that is there."""
        found = next((name for name in names if self.types.get(name) in kinds), None)
        return found and self._take(role, found, reason)

    def best_image(self) -> str:
        photos = [
            name
            for name, kind in self.types.items()
            if kind in _IMAGE_KINDS and not any(word in name.lower() for word in _NOT_A_PHOTO)
        ]
        if not photos:
            raise UserError(f"bag {self.bag} has no camera image topic; {self.content()}")
        best = max(photos, key=lambda name: (_image_score(name), [-ord(c) for c in name]))
        others = f", before {', '.join(sorted(set(photos) - {best}))}" if len(photos) > 1 else ""
        return self._take("image", best, f"by type and name{others}")

    def truth(self, image: str, options: TopicOptions, kinds: Iterable[str]) -> tuple[str, str | None]:
        """Kind of ground truth, and its topic where it is depth or LiDAR."""
        wanted = options.truth
        if options.truth_topic is not None:
            kind = {POINT_CLOUD: "lidar", IMAGE: "depth"}.get(self.types.get(options.truth_topic, ""))
            if kind is None or wanted not in (None, kind):
                raise UserError(
                    f"bag {self.bag} has no {wanted or 'ground truth'} topic {options.truth_topic} of type "
                    f"{IMAGE} or {POINT_CLOUD}; {self.content()}"
                )
            return kind, self._take("ground truth", options.truth_topic, "by option")
        if wanted is None and options.right_image is not None and "stereo" in kinds:
            wanted = "stereo"
        for kind in kinds if wanted is None else (wanted,):
            if kind == "none" or (kind == "stereo" and self._find_right(image, options)):
                return kind, None
            topic = self.measured(kind, image, "ground truth") if kind in MEASURED else None
            if topic is not None:
                return kind, topic
        raise UserError(f"bag {self.bag} has no {wanted} ground truth for {image}; {self.content()}")

    def measured(self, kind: str, image: str, role: str) -> str | None:
        """Topic of one of ``MEASURED``; None where the bag has none."""
        return {"depth": self._depth, "lidar": self._lidar}[kind](image, role)

    def depth_info(self, depth: str | None, image: str) -> str | None:
        """Calibration of depth images; None where they are beside the image and share its calibration."""
        if depth is None or _namespace(depth) == _namespace(image):
            return None
        names = [f"{_namespace(depth)}/camera_info"]
        return self.first("depth camera_info", names, (CAMERA_INFO,), "beside the depth")

    def right(self, image: str, options: TopicOptions) -> tuple[str | None, str | None]:
        """Right image and its calibration; None and None unless both are there."""
        found = self._find_right(image, options)
        if found is None:
            return None, None
        topic, info = found
        self._take("right image", topic, "by option" if options.right_image else "by name")
        self._take("right camera_info", info, "by option" if options.right_info else "beside the right image")
        return topic, info

    def _depth(self, image: str, role: str) -> str | None:
        camera = image.lstrip("/").split("/")[0]
        names = [
            name
            for name, kind in self.types.items()
            if kind == IMAGE and "depth" in name.lower() and name.lstrip("/").split("/")[0] == camera
        ]
        # The same namespace first: depth of the left camera for the left image.
        names.sort(key=lambda name: (_namespace(name) != _namespace(image), name))
        return self.first(role, names[:1], (IMAGE,), "depth of the same camera, by name")

    def _lidar(self, image: str, role: str) -> str | None:
        if TRANSFORMS not in self.types.values():
            return None
        clouds = sorted(name for name, kind in self.types.items() if kind == POINT_CLOUD)
        own = [name for name in clouds if not name.startswith("/depth/")]  # the node's own points
        return self.first(role, own, (POINT_CLOUD,), "point cloud with transforms")

    def _find_right(self, image: str, options: TopicOptions) -> tuple[str, str] | None:
        topic = options.right_image or (image.replace("left", "right") if "left" in image else "")
        info = options.right_info or f"{_namespace(topic)}/camera_info"
        for role, name, option, kinds in (
            ("right image", topic, options.right_image, _IMAGE_KINDS),
            ("right camera_info", info, options.right_info, (CAMERA_INFO,)),
        ):
            if self.types.get(name) not in kinds:
                if option is not None:
                    raise self._missing(role, name, kinds)
                return None
        return topic, info

    def _missing(self, role: str, topic: str, kinds: Iterable[str]) -> UserError:
        wanted = " or ".join(kinds)
        return UserError(f"bag {self.bag} has no {role} topic {topic} of type {wanted}; {self.content()}")

    def _take(self, role: str, topic: str, reason: str) -> str:
        self.choices.append(TopicChoice(role, topic, self.types[topic], reason))
        return topic

    def content(self) -> str:
        """Topics of the bag, for error messages."""
        return "it has: " + (", ".join(f"{n} ({k})" for n, k in sorted(self.types.items())) or "nothing")


def _image_score(name: str) -> int:
    words = {"left": 8, "rect": 4, "color": 2, "front": 1, "right": -16}
    return sum(score for word, score in words.items() if word in name.lower())


def _namespace(image: str) -> str:
    """``/camera/left`` of ``/camera/left/image_rect`` and of ``/camera/left/image_rect/compressed``."""
    return image.removesuffix("/compressed").rsplit("/", 1)[0]
