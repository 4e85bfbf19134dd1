"""The thread that predicts, and whoever looks after it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from adu_depth_core.camera import Camera
from adu_depth_core.inference.predictor import Predictor
from adu_depth_ros.camera_stream import CameraStream
from adu_depth_ros.frames import ReceivedFrame
from adu_depth_ros.mailbox import Mailbox

STOP_S = 5.0
"""How long ``stop`` waits for the frame in work."""


class Claim:
    """Who may say what became of a frame: the first to ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        """True once."""
        return self._lock.acquire(blocking=False)


class _Job:
    """What a worker is at, and since when."""

    def __init__(self, stream: CameraStream | None = None) -> None:
        self.stream = stream
        self.start = time.monotonic()
        self.claim = Claim()


class _Worker:
    """A thread that predicts until the mailbox is closed or it is told that another took its place.

    :param prepare: called first, on the thread
    """

    def __init__(self, owner: InferenceWorker, prepare: Callable[[], None]) -> None:
        self._owner = owner
        self._prepare = prepare
        self.job: _Job | None = _Job()
        self.replaced = False
        self.thread = threading.Thread(target=self._work, name="inference", daemon=True)
        self.thread.start()

    def _work(self) -> None:
        owner = self._owner
        try:
            self._prepare()
        except Exception as error:  # the frames will tell whether it was for good
            owner.tell_all(error)
        self.job = None
        while not self.replaced and (taken := owner.mailbox.take()) is not None:
            stream, frame = taken
            self.job = job = _Job(stream)
            stream.process(frame, owner.predictor, job.claim)
            self.job = None
            if not self.replaced:
                owner.mailbox.done(stream)


class InferenceWorker:
    """Predicts the frames of all cameras from construction to ``stop``, on a thread.

    If the thread dies, or takes too long for a frame, another takes its place, with the network loaded anew:
    once, because what fails twice fails for good.

    :param mailbox: where the cameras leave their frames
    :param predictor: what predicts
    :param load: loads it anew
    :param streams: the cameras, to be told of a failure that concerns them all

    :ivar predictor: what predicts the next frame; may be replaced at any time
    :ivar failure: why no frame is predicted any more; empty as long as frames are
    """

    def __init__(
        self,
        mailbox: Mailbox[CameraStream, ReceivedFrame],
        predictor: Predictor,
        load: Callable[[], Predictor],
        streams: Sequence[CameraStream],
    ) -> None:
        self.mailbox = mailbox
        self.predictor = predictor
        self.failure = ""
        self.restarts = 0
        self._load = load
        self._streams = streams
        self._stopped = False
        self._worker = _Worker(self, self._warm_up)

    def supervise(self, timeout: float) -> None:
        """Look whether the thread lives and works; to be called regularly, from a thread of its own.

        :param timeout: seconds for one frame, or for loading the network
        """
        worker, job = self._worker, self._worker.job
        seconds = 0.0 if job is None else time.monotonic() - job.start
        if self._stopped or self.failure or (worker.thread.is_alive() and seconds <= timeout):
            return
        what = (
            f"has been at one frame for {seconds:.0f} s" if worker.thread.is_alive() else "ended unexpectedly"
        )
        if job is not None and job.stream is not None and job.claim():
            job.stream.statistics.failed(f"the worker {what}")
        if self.restarts:
            self.failure = f"the worker {what}, again after it was replaced: restart the process"
            self.tell_all(RuntimeError(self.failure))
            return
        self.restarts += 1
        self.tell_all(RuntimeError(f"the worker {what}: it is replaced"))
        worker.replaced = True
        if job is not None and job.stream is not None:
            self.mailbox.done(job.stream)
        self._worker = _Worker(self, self._load_anew)

    def stop(self) -> bool:
        """Let the frame in work end, and forget the others.

        :return: False if the thread went on for ``STOP_S``, and is left behind
        """
        self._stopped = True
        self.mailbox.close()
        self._worker.thread.join(STOP_S)
        return not self._worker.thread.is_alive()

    def tell_all(self, error: Exception) -> None:
        """Note a fault that concerns every camera."""
        for stream in self._streams:
            stream.statistics.fault(stream.log_fault(error))

    def _warm_up(self) -> None:
        warm_up(self.predictor)

    def _load_anew(self) -> None:
        # What the thread before hangs in may be held by the backend for ever.
        self.predictor = self._load()
        warm_up(self.predictor)


def warm_up(predictor: Predictor, camera: Camera | None = None) -> None:
    """Predict once: the first time is slow enough to lose a frame of a 10 Hz camera.

    :param camera: whose images are to come; None for one of the network's own size
    """
    if camera is None:
        height, width = predictor.network_size
        camera = Camera(width, width, 0.0, 0.0, width, height)
    predictor.predict(np.zeros((*camera.size, 3), np.uint8), camera)
