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
import numpy as np

from adu_depth_core.bags.frames import BagFrame
from adu_depth_core.evaluation.protocol import Protocol
from adu_depth_core.inference.postprocess import enlarge
from adu_depth_core.inference.prediction import Prediction
from adu_depth_core.inference.predictor import MAX_STREAMS, Predictor
from adu_depth_core.inference.temporal.stabiliser import TemporalFusion
from adu_depth_core.prefetch import Prefetch
from adu_depth_core.replay.model_evaluation import Measured, Predicted, known_motion, measure_frame

ALONE = 20
"""Number of first frames predicted without other load, to measure latency."""

Judged = tuple[BagFrame, list[Measured]]
"""A frame, and what each model makes of it: alone and, if asked for, stabilised."""

Predictions = tuple[Predicted, ...]
"""A model's prediction of a frame and, if asked for, the same stabilised."""


class Replay:
    """Predicts frames with each model and measures the predictions.

    :param predictors: the models
    :param protocol: the evaluated pixels
    :param matches_stereo: OpenCV matches the frames as they are read, which takes longer than all the rest:
        it may use all cores
    :param stabilise: judge each model twice: as it is, and with temporal stabilisation
    """

    def __init__(
        self,
        predictors: Sequence[Predictor],
        protocol: Protocol,
        matches_stereo: bool = False,
        stabilise: bool = False,
    ) -> None:
        self._alone = list(predictors)
        self._beside_others = [predictor.for_throughput() for predictor in predictors]
        self._fusions = [TemporalFusion(p.card.depth_max) if stabilise else None for p in predictors]
        self._protocol = protocol
        self._opencv_threads = cv2.getNumThreads() if matches_stereo else 1
        self._workers = max(2, min(os.cpu_count() or 1, MAX_STREAMS))

    def run(self, frames: Iterator[BagFrame], stop: Callable[[], bool]) -> Iterator[Judged]:
        """The frames in order of time; few of them are in memory at once.

        :param frames: in order of time; after the first ``ALONE`` they are read ahead on another thread
        :param stop: asked after each frame; True ends the run
        """
        before: list[Predictions] = [()] * len(self._alone)
        for frame in itertools.islice(frames, ALONE):
            judged = []
            for i, predictor in enumerate(self._alone):
                started = time.perf_counter()
                small = predictor.predict(frame.image, frame.camera, output_size="network")
                elapsed = time.perf_counter() - started
                predictions = self._predict(small, frame, before[i], self._fusions[i], elapsed)
                judged += self._measure(predictions, before[i])
                before[i] = predictions
            yield frame, judged
            if stop():
                return
        yield from self._run_beside_others(frames, stop, [_known(predictions) for predictions in before])

    def _run_beside_others(
        self, frames: Iterator[BagFrame], stop: Callable[[], bool], before: list[Future[Predictions]]
    ) -> Iterator[Judged]:
        pending: deque[tuple[BagFrame, list[Future[list[Measured]]]]] = deque()
        with (
            _opencv_threads(self._opencv_threads),
            ThreadPoolExecutor(self._workers) as pool,
            Prefetch(frames) as prefetched,
        ):
            for frame in prefetched:
                futures = []
                for i, predictor in enumerate(self._beside_others):
                    now: Future[Predictions] = Future()
                    futures.append(
                        pool.submit(self._judge, predictor, self._fusions[i], frame, before[i], now)
                    )
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
        fusion: TemporalFusion | None,
        frame: BagFrame,
        before: Future[Predictions],
        now: Future[Predictions],
    ) -> list[Measured]:
        """Predict a frame, hand that on as ``now``, and measure it against the one before.

        Frames are begun in order of time, so the one before is ready or in the works on another thread.
        """
        try:
            small = predictor.predict(frame.image, frame.camera, output_size="network")
            # Fusion needs the frame before; predictions alone need not wait for it.
            earlier = before.result() if fusion is not None else ()
            predictions = self._predict(small, frame, earlier, fusion)
        except BaseException as error:
            now.set_exception(error)
            raise
        now.set_result(predictions)
        return self._measure(predictions, before.result())

    @staticmethod
    def _predict(
        small: Prediction,
        frame: BagFrame,
        before: Predictions,
        fusion: TemporalFusion | None,
        elapsed: float | None = None,
    ) -> Predictions:
        """Predictions at the image's size.

        :param small: at the network's size
        :param elapsed: seconds it took; None if other work ran beside it
        """
        started = time.perf_counter()
        alone = enlarge(small, frame.camera)
        enlarged = time.perf_counter()
        latency = None if elapsed is None else 1e3 * (elapsed + enlarged - started)
        predictions: Predictions = (Predicted(frame, alone, latency),)
        if fusion is None:
            return predictions

        def motion(before_ns: int, now_ns: int) -> np.ndarray | None:
            return known_motion(before[0].frame, frame) if before else None

        stabilised = fusion.update(small, frame.image, frame.stamp_ns, motion)
        prediction = enlarge(stabilised.prediction, frame.camera)
        latency = None if elapsed is None else 1e3 * (elapsed + time.perf_counter() - enlarged)
        return (*predictions, Predicted(frame, prediction, latency, stabilised.unfused))

    def _measure(self, predictions: Predictions, before: Predictions) -> list[Measured]:
        earlier = before or [None] * len(predictions)
        return [measure_frame(self._protocol, *pair) for pair in zip(predictions, earlier, strict=True)]


@contextlib.contextmanager
def _opencv_threads(count: int) -> Iterator[None]:
    """Disable OpenCV's threads, which are overhead when frames are processed in parallel."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(count)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _known(predictions: Predictions) -> Future[Predictions]:
    future: Future[Predictions] = Future()
    future.set_result(predictions)
    return future


def _results(frame: BagFrame, futures: list[Future[list[Measured]]]) -> Judged:
    return frame, [measured for future in futures for measured in future.result()]
