"""Models on the frames of bags: the first frames one by one, for latency, the others in parallel."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import cv2

from adu_depth_core.bags.frames import BagFrame
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.inference.predictor import MAX_STREAMS, Predictor
from adu_depth_core.prefetch import Prefetch
from adu_depth_core.replay.model_evaluation import Measured, Predicted, measure_frame

ALONE = 20
"""Number of first frames predicted without other load, to measure latency."""

Judged = tuple[BagFrame, list[Measured]]
"""A frame, and what each model makes of it."""


class Replay:
    """Predicts frames with each model and measures the predictions.

    :param predictors: the models
    :param protocol: which pixels count
    :param matches_stereo: OpenCV matches the frames as they are read, which takes longer than all the rest:
        it may use all cores
    """

    def __init__(
        self, predictors: Sequence[Predictor], protocol: Protocol, matches_stereo: bool = False
    ) -> None:
        self._alone = list(predictors)
        self._beside_others = [predictor.for_throughput() for predictor in predictors]
        self._protocol = protocol
        self._opencv_threads = cv2.getNumThreads() if matches_stereo else 1
        self._workers = max(2, min(os.cpu_count() or 1, MAX_STREAMS))

    def run(self, frames: Iterator[BagFrame], stop: Callable[[], bool]) -> Iterator[Judged]:
        """The frames in order of time; few of them are in memory at once.

        :param frames: in order of time; after the first ``ALONE`` they are read ahead on another thread
        :param stop: asked after each frame; True ends the run
        """
        before: list[Predicted | None] = [None] * len(self._alone)
        for frame in itertools.islice(frames, ALONE):
            judged = []
            for i, predictor in enumerate(self._alone):
                started = time.perf_counter()
                prediction = predictor.predict(frame.image, frame.camera)
                predicted = Predicted(frame, prediction, 1e3 * (time.perf_counter() - started))
                judged.append(measure_frame(self._protocol, predicted, before[i]))
                before[i] = predicted
            yield frame, judged
            if stop():
                return
        yield from self._run_beside_others(frames, stop, [_known(predicted) for predicted in before])

    def _run_beside_others(
        self, frames: Iterator[BagFrame], stop: Callable[[], bool], before: list[Future[Predicted | None]]
    ) -> Iterator[Judged]:
        pending: deque[tuple[BagFrame, list[Future[Measured]]]] = deque()
        with (
            _opencv_threads(self._opencv_threads),
            ThreadPoolExecutor(self._workers) as pool,
            Prefetch(frames) as prefetched,
        ):
            for frame in prefetched:
                futures = []
                for i, predictor in enumerate(self._beside_others):
                    now: Future[Predicted | None] = Future()
                    futures.append(pool.submit(self._judge, predictor, frame, before[i], now))
                    before[i] = now
                pending.append((frame, futures))
                if len(pending) > self._workers:
                    yield _results(*pending.popleft())
                if stop():
                    break
            while pending:
                yield _results(*pending.popleft())

    def _judge(
        self,
        predictor: Predictor,
        frame: BagFrame,
        before: Future[Predicted | None],
        now: Future[Predicted | None],
    ) -> Measured:
        """Predict a frame, hand that on as ``now``, and measure it against the one before.

        Frames are begun in order of time, so the one before is ready or in the works on another thread.
        """
        try:
            predicted = Predicted(frame, predictor.predict(frame.image, frame.camera))
        except BaseException as error:
            now.set_exception(error)
            raise
        now.set_result(predicted)
        return measure_frame(self._protocol, predicted, before.result())


@contextlib.contextmanager
def _opencv_threads(count: int) -> Iterator[None]:
    """Disable OpenCV's threads, which are overhead when frames are processed in parallel."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(count)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _known(predicted: Predicted | None) -> Future[Predicted | None]:
    future: Future[Predicted | None] = Future()
    future.set_result(predicted)
    return future


def _results(frame: BagFrame, futures: list[Future[Measured]]) -> Judged:
    return frame, [future.result() for future in futures]
