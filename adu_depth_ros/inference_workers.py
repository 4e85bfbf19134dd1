"""The inference threads and their supervision."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence

from adu_depth_core.inference.predictor import Predictor
from adu_depth_ros.camera_stream import CameraStream
from adu_depth_ros.mailbox import Mailbox
from adu_depth_ros.stream_frames import ReceivedFrame

STOP_S = 5.0
"""Seconds for which ``stop`` waits for the frames in progress."""


class Claim:
    """Right to report the outcome of a frame: granted to the first caller."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        """True for the first call only."""
        return self._lock.acquire(blocking=False)


class _Job:
    """The current task of a worker, and its start time."""

    def __init__(self, stream: CameraStream | None = None) -> None:
        self.stream = stream
        self.claim = Claim()
        self._start = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self._start

    def excuse(self, seconds: float) -> None:
        """Leave out seconds that the task could not use."""
        self._start = min(self._start + seconds, time.monotonic())


class _Worker:
    """A thread that predicts until the mailbox is closed or it is replaced.

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
        """Description of the worker's fault; empty if it is healthy."""
        if not self.thread.is_alive():
            return "ended unexpectedly"
        seconds = 0.0 if (job := self.job) is None else job.seconds()
        return f"has been busy with one frame for {seconds:.0f} s" if seconds > timeout else ""

    def _work(self) -> None:
        owner = self._owner
        try:
            self._prepare()
        except Exception as error:  # the next frames will show whether the error is permanent
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

    A thread that dies, or takes too long for a frame, is replaced, with the network reloaded: once,
    because a second failure is final.

    :param mailbox: mailbox with the cameras' frames
    :param predictor: what predicts
    :param load: reloads it
    :param streams: the cameras, to be notified of a failure that affects them all
    :param count: number of threads: that of the images that the predictor processes concurrently

    :ivar predictor: predictor of the next frame; may be replaced at any time
    :ivar failure: reason why prediction has stopped; empty while it works
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

    def supervise(self, timeout: float, stalled: float = 0.0) -> None:
        """Check that the threads are alive and working; call it regularly, from another thread.

        :param timeout: seconds for one frame, or for loading the network
        :param stalled: seconds since the previous call in which the whole process was blocked (suspended,
            swapped out); they do not count
        """
        if self._stopped or self.failure:
            return
        for worker in self._workers:
            if (job := worker.job) is not None:
                job.excuse(stalled)
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
        """Let the frames in progress finish, and discard the others.

        :return: False if a thread was still running after ``STOP_S``, and was abandoned
        """
        self._stopped = True
        self.mailbox.close()
        deadline = time.monotonic() + STOP_S
        for worker in self._workers:
            worker.thread.join(max(0.0, deadline - time.monotonic()))
        ended = not any(worker.thread.is_alive() for worker in self._workers)
        # They refer back to this: without a break the network would stay in memory until Python's next full
        # collection, a dozen cycles of the node later.
        self._workers.clear()
        return ended

    def tell_all(self, error: Exception) -> None:
        """Record an error that affects every camera."""
        for stream in self._streams:
            stream.statistics.fault(stream.log_fault(error))

    def _replace(self, faulty: Collection[_Worker]) -> None:
        stale = self.predictor

        def reload() -> None:
            # The backend may hold the lock on which the previous thread hangs forever.
            with self._loading:
                if self.predictor is stale:
                    self.predictor = self._load()
            self._warm_up()

        for worker in faulty:
            worker.replaced = True
            if (job := worker.job) is not None and job.stream is not None:
                self.mailbox.done(job.stream)
        kept = [worker for worker in self._workers if worker not in faulty]
        self._workers = kept + [_Worker(self, reload) for _ in faulty]

    def _warm_up(self) -> None:
        # The first run on a thread is slow enough to drop a frame of a 10 Hz camera.
        self.predictor.warm_up()
