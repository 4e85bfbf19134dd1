"""The threads that predict, and whoever looks after them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence

from adu_depth_core.inference.predictor import Predictor
from adu_depth_ros.camera_stream import CameraStream
from adu_depth_ros.mailbox import Mailbox
from adu_depth_ros.stream_frames import ReceivedFrame

STOP_S = 5.0
"""How long ``stop`` waits for the frames in work."""


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
        self.claim = Claim()
        self._start = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self._start


class _Worker:
    """A thread that predicts until the mailbox is closed or another took its place.

    :param prepare: called first, on the thread
    """

    def __init__(self, owner: InferenceWorkers, prepare: Callable[[], None]) -> None:
        self._owner = owner
        self._prepare = prepare
        self.job: _Job | None = _Job()
        self.replaced = False
        self.thread = threading.Thread(target=self._work, name="inference", daemon=True)
        self.thread.start()

    def fault(self, timeout: float) -> str:
        """What is wrong with it; empty if nothing is."""
        if not self.thread.is_alive():
            return "ended unexpectedly"
        seconds = 0.0 if (job := self.job) is None else job.seconds()
        return f"has been at one frame for {seconds:.0f} s" if seconds > timeout else ""

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


class InferenceWorkers:
    """Predict the frames of all cameras from construction to ``stop``, on threads.

    If a thread dies, or takes too long for a frame, another takes its place, with the network loaded anew:
    once, because what fails twice fails for good.

    :param mailbox: where the cameras leave their frames
    :param predictor: what predicts
    :param load: loads it anew
    :param streams: the cameras, to be told of a failure that concerns them all
    :param count: threads, as many as the predictor predicts images at the same time

    :ivar predictor: what predicts the next frame; may be replaced at any time
    :ivar failure: why no frame is predicted any more; empty as long as frames are
    """

    def __init__(
        self,
        mailbox: Mailbox[CameraStream, ReceivedFrame],
        predictor: Predictor,
        load: Callable[[], Predictor],
        streams: Sequence[CameraStream],
        count: int = 1,
    ) -> None:
        self.mailbox = mailbox
        self.predictor = predictor
        self.failure = ""
        self.restarts = 0
        self._load = load
        self._loading = threading.Lock()
        self._streams = streams
        self._stopped = False
        self._workers = [_Worker(self, self._warm_up) for _ in range(count)]

    def supervise(self, timeout: float) -> None:
        """Look whether the threads live and work; to be called regularly, from a thread of its own.

        :param timeout: seconds for one frame, or for loading the network
        """
        if self._stopped or self.failure:
            return
        faults = {worker: fault for worker in self._workers if (fault := worker.fault(timeout))}
        if not faults:
            return
        for worker, fault in faults.items():
            job = worker.job
            if job is not None and job.stream is not None and job.claim():
                job.stream.statistics.failed(f"the worker {fault}")
        fault = next(iter(faults.values()))
        if self.restarts:
            self.failure = f"the worker {fault}, again after it was replaced: restart the process"
            self.tell_all(RuntimeError(self.failure))
            return
        self.restarts += 1
        self.tell_all(RuntimeError(f"the worker {fault}: it is replaced"))
        self._replace(faults)

    def stop(self) -> bool:
        """Let the frames in work end, and forget the others.

        :return: False if a thread went on for ``STOP_S``, and is left behind
        """
        self._stopped = True
        self.mailbox.close()
        deadline = time.monotonic() + STOP_S
        for worker in self._workers:
            worker.thread.join(max(0.0, deadline - time.monotonic()))
        return not any(worker.thread.is_alive() for worker in self._workers)

    def tell_all(self, error: Exception) -> None:
        """Note a fault that concerns every camera."""
        for stream in self._streams:
            stream.statistics.fault(stream.log_fault(error))

    def _replace(self, faulty: Collection[_Worker]) -> None:
        stale = self.predictor

        def load_anew() -> None:
            # What the thread before hangs in may be held by the backend for ever.
            with self._loading:
                if self.predictor is stale:
                    self.predictor = self._load()
            self._warm_up()

        for worker in faulty:
            worker.replaced = True
            if (job := worker.job) is not None and job.stream is not None:
                self.mailbox.done(job.stream)
        kept = [worker for worker in self._workers if worker not in faulty]
        self._workers = kept + [_Worker(self, load_anew) for _ in faulty]

    def _warm_up(self) -> None:
        # The first run on a thread is slow enough to lose a frame of a 10 Hz camera.
        self.predictor.warm_up()
