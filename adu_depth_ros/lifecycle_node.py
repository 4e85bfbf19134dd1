"""The node: turns camera images into metric depth and its uncertainty.

A managed (lifecycle) node. *Configure* loads the model and creates the output topics, *activate*
starts the worker thread and subscribes; *deactivate* and *cleanup* undo that. The services ``reload`` and
``save_frame`` are available throughout.
"""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter

from adu_depth_core.errors import UserError
from adu_depth_core.inference.predictor import Predictor
from adu_depth_ros.camera_stream import CameraStream
from adu_depth_ros.control_services import ControlServices
from adu_depth_ros.depth_publishers import DepthPublishers
from adu_depth_ros.diagnostics import Condition, frame_values, judge, key_values
from adu_depth_ros.distribution import rejects_impossible_transitions
from adu_depth_ros.engine_loading import BuildStopped, build_or_find, model_to_load
from adu_depth_ros.frame_statistics import FrameStatistics
from adu_depth_ros.health import HealthTimer
from adu_depth_ros.inference_workers import InferenceWorkers
from adu_depth_ros.mailbox import Mailbox
from adu_depth_ros.parameters import (
    CONFIGURE,
    RELOAD,
    Parameters,
    applies,
    check_value,
    declare_camera_parameters,
    declare_parameters,
    is_overruled,
    parse_network_size,
    read_parameters,
)
from adu_depth_ros.ros_log_handler import RosLogHandler
from adu_depth_ros.saved_frame import save_frame
from adu_depth_ros.stream_frames import ReceivedFrame
from adu_depth_ros.vehicle_motion import VehicleMotion, check_source

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
HEALTH_PERIOD_S = 1.0
"""Seconds between two messages on ``/diagnostics``."""

SAVE_FRAME_S = 5.0
"""Seconds for which ``save_frame`` waits for a frame."""

CORE_LOG = logging.getLogger("adu_depth_core")


class DepthNode(LifecycleNode):
    """See docs/node.md for topics, parameters and diagnostics.

    :param stop: set when the process is to end: long operations, such as an engine build, are then aborted
    :param options: passed on to ``rclpy.node.Node``, e.g. ``namespace`` or ``parameter_overrides``
    :raises rclpy.exceptions.ParameterException: if a parameter was given with a wrong type or value
    """

    def __init__(self, stop: threading.Event, **options: Any) -> None:
        super().__init__("depth_node", **options)
        self.stop = stop
        self._predictor: Predictor | None = None
        self._loaded_with = Parameters()
        self._outputs: dict[str, DepthPublishers] = {}
        self._streams: list[CameraStream] = []
        self._workers: InferenceWorkers | None = None
        self._motion: VehicleMotion | None = None
        self._failure = ""
        self._building = ""
        self._finalized = False
        self._exchange = threading.Lock()
        """Held while a reload replaces the model, so that it cannot install one in a node that was
        cleaned up."""
        self.add_on_set_parameters_callback(self._check_parameters)
        declare_parameters(self)
        self._log_handler = RosLogHandler(self.get_logger())
        CORE_LOG.addHandler(self._log_handler)
        if not rejects_impossible_transitions():
            self._survive_impossible_transitions()
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 1)
        self._health = HealthTimer(HEALTH_PERIOD_S, self._check_health, self.get_logger())
        self._control = ControlServices(self, {"reload": self._reload, "save_frame": self._save_frame})

    def builds_only(self) -> bool:
        """True if the node only builds an engine and exits (parameter ``build_only``)."""
        return read_parameters(self).build_only

    def build(self) -> bool:
        """Build the model's engine into the cache if it is missing; return True if it is available."""
        try:
            build_or_find(self, read_parameters(self), self._tell_of_build)
        except UserError as error:
            self.get_logger().error(f"no engine: {error}")
            return False
        except BuildStopped:
            return False
        return True

    def autostart(self) -> None:
        """Configure and activate, if the parameter ``autostart`` is set."""
        if read_parameters(self).autostart and self.trigger_configure() == SUCCESS:
            self.trigger_activate()

    def destroy_node(self) -> None:
        self._control.close()
        self._health.close()
        self._release()
        CORE_LOG.removeHandler(self._log_handler)
        super().destroy_node()  # type: ignore[no-untyped-call]  # rclpy does not annotate it

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            parameters = read_parameters(self)
            declare_camera_parameters(self)
            if any(read_parameters(self, camera).stabilise for camera in parameters.cameras):
                check_source(parameters.stabilise_motion)
            self._predictor = self._load(parameters)
            self._loaded_with = parameters
            self._outputs = {camera: DepthPublishers(self, camera) for camera in parameters.cameras}
        except BuildStopped:
            return FAILURE
        except Exception as error:  # whatever the error, the node stays alive for the next attempt
            self._release()
            self._failure = str(error)
            self.get_logger().error(f"could not be configured: {error}")
            return FAILURE
        finally:
            self._building = ""
        self._failure = ""
        self.get_logger().info("configured: " + ", ".join(f"{k} {v}" for k, v in self._model_facts().items()))
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        predictor = self._predictor
        if predictor is None:
            raise RuntimeError("the node has no model: configure it before it is activated")
        result = super().on_activate(state)
        mailbox: Mailbox[CameraStream, ReceivedFrame] = Mailbox()
        parameters = read_parameters(self)
        self._motion = VehicleMotion(self, parameters.stabilise_motion, parameters.stabilise_frame)
        streams = [
            CameraStream(self, outputs, mailbox, self._motion, camera)
            for camera, outputs in self._outputs.items()
        ]
        self._workers = InferenceWorkers(
            mailbox,
            predictor,
            lambda: self._load(self._loaded_with),
            streams,
            min(predictor.images_at_once, len(streams)),
        )
        self._streams = streams
        for stream in streams:
            stream.subscribe()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stop()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._release()
        return SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._release()
        self._finalized = True
        return SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._release()
        return SUCCESS

    def _stop(self) -> None:
        for stream in self._streams:
            stream.close()
        if self._motion is not None:
            self._motion.close()
        if self._workers is not None and not self._workers.stop():
            self.get_logger().error("a frame in progress did not finish: its thread is abandoned")
        self._streams, self._workers, self._motion = [], None, None

    def _release(self) -> None:
        self._stop()
        while self._outputs:
            self._outputs.popitem()[1].destroy()
        with self._exchange:
            self._predictor = None

    def _survive_impossible_transitions(self) -> None:
        """Reject a request for a transition that is not possible now.

        Before Kilted rclpy lets the state machine's exception escape from the service callback, which ends
        the process.
        """
        change_state = self._service_change_state.callback

        def answer(request: ChangeState.Request, response: ChangeState.Response) -> ChangeState.Response:
            try:
                return change_state(request, response)
            except RuntimeError as error:
                self.get_logger().error(f"transition refused: {str(error).splitlines()[0]}")
                response.success = False
                return response

        self._service_change_state.callback = answer

    # Model

    def _load(self, parameters: Parameters) -> Predictor:
        return Predictor(
            model=model_to_load(self, parameters, self._tell_of_build),
            backend=parameters.backend,
            network_size=parse_network_size(parameters.network_size),
            threads=parameters.threads or None,
            gpu=parameters.gpu,
            profile=parameters.profile,
            # Several cameras keep every core busy with their own images; a single camera needs low latency.
            throughput=len(parameters.cameras) > 1,
            batch=len(parameters.cameras),
        )

    def _reload(self) -> str:
        """Load the model with the current parameters; the old one stays in use until the new one is ready."""
        old, streams = self._predictor, self._streams
        if old is None:
            raise UserError(
                f"the node is {self._state_label()}: it will load the model when it is configured"
            )
        try:
            parameters = read_parameters(self)
            new = self._load(parameters)
            # The network's size may follow the camera's: it is loaded now, not with the next frame.
            for camera, whole in {stream.cameras for stream in streams if stream.cameras is not None}:
                new.predict(np.zeros((*camera.size, 3), np.uint8), camera, whole=whole)
        except BuildStopped:
            raise UserError("stopped: the process is shutting down") from None
        finally:
            self._building = ""
        with self._exchange:
            if self._predictor is not old:
                raise UserError("the node was cleaned up or configured meanwhile")
            self._predictor, self._loaded_with = new, parameters
            if self._workers is not None:
                self._workers.predictor = new
        facts = ", ".join(f"{key} {value}" for key, value in self._model_facts().items())
        self.get_logger().info(f"reloaded: {facts}")
        return facts

    def _save_frame(self) -> str:
        """Write the next frame of each camera to a folder; return their paths, one per line."""
        streams = self._streams
        if not streams:
            raise UserError(f"the node is {self._state_label()}: configure and activate it first")
        with ThreadPoolExecutor(len(streams)) as pool:
            frames = list(pool.map(lambda stream: stream.next_frame(SAVE_FRAME_S), streams))
        if missing := [stream for stream, frame in zip(streams, frames, strict=True) if frame is None]:
            of = " of " + ", ".join(stream.name for stream in missing) if missing[0].name else ""
            raise UserError(
                f"no frame{of} was processed within {SAVE_FRAME_S:g} s: see the node's entry in /diagnostics"
            )
        chosen = read_parameters(self).save_folder
        folder = Path(chosen).expanduser() if chosen else ros_home() / "adu_depth"
        saved = zip(streams, frames, strict=True)
        return "\n".join(str(save_frame(self, stream.name, frame, folder)) for stream, frame in saved)

    # Parameters

    def _check_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        for parameter in parameters:
            try:
                check_value(parameter)
                if parameter.name.rpartition(".")[2] == "stabilise" and parameter.value and self._predictor:
                    check_source(read_parameters(self).stabilise_motion)
            except (ValueError, UserError) as error:
                return SetParametersResult(successful=False, reason=str(error))
            if self._outputs and is_overruled(parameter.name, self._outputs):
                own = ", ".join(f"{camera}.{parameter.name}" for camera in self._outputs)
                return SetParametersResult(successful=False, reason=f"set that of a camera: {own}")
            if self._predictor is not None and applies(parameter.name) == CONFIGURE:
                name = self.get_fully_qualified_name()
                return SetParametersResult(
                    successful=False,
                    reason=f"{parameter.name} is used when the node is configured. To change it: "
                    f"ros2 lifecycle set {name} deactivate; ros2 lifecycle set {name} cleanup; then set "
                    f"the parameter, and ros2 lifecycle set {name} configure, and activate",
                )
            if self._predictor is not None and applies(parameter.name) == RELOAD:
                service = f"{self.get_fully_qualified_name()}/reload"
                self.get_logger().info(
                    f"{parameter.name} takes effect with: ros2 service call {service} std_srvs/srv/Trigger"
                )
        return SetParametersResult(successful=True)

    # Diagnostics

    def _tell_of_build(self, text: str) -> None:
        """Publish immediately: a builder may hold the GIL, and thus block the timer, for seconds."""
        self._building = text
        self._publish_diagnostics()

    def _check_health(self, late: float) -> None:
        if (workers := self._workers) is not None:
            workers.supervise(read_parameters(self).worker_timeout, late)
        self._publish_diagnostics()

    def _publish_diagnostics(self) -> None:
        array = DiagnosticArray()
        array.header.stamp = self.get_clock().now().to_msg()
        streams = self._streams
        if streams:
            array.status = [self._status(stream.name, stream) for stream in streams]
        else:
            array.status = [self._status(camera, None) for camera in read_parameters(self).cameras]
        self._diagnostics.publish(array)

    def _status(self, camera: str, stream: CameraStream | None) -> DiagnosticStatus:
        workers, predictor = self._workers, self._predictor
        snapshot = (stream.statistics if stream is not None else FrameStatistics()).snapshot()
        level, message, others = judge(
            Condition(
                state=self._state_label(),
                snapshot=snapshot,
                image_topic=stream.image_topic() if stream is not None else "",
                failure=self._failure,
                # A build during a reload is reported only as a note: depth is still published.
                building=self._building if predictor is None else "",
                worker=workers.failure if workers is not None else "",
                typical=predictor.card.typical if predictor is not None else {},
                parameters=read_parameters(self, camera if stream is not None else ""),
            )
        )
        facts = {
            "state": self._state_label(),
            "also": "; ".join(others),
            **self._model_facts(),
            "build": self._building,
        }
        return DiagnosticStatus(
            level=level,
            # Distinguishes nodes of one name in several namespaces, and cameras of one node.
            name=f"{self.get_fully_qualified_name().lstrip('/')}: {camera or 'depth'}",
            message=message,
            hardware_id=stream.frame_id if stream is not None else "",
            values=key_values(facts) + frame_values(snapshot),
        )

    def _state_label(self) -> str:
        if self._finalized:
            return "finalized"
        if self._predictor is None:
            return "building" if self._building else "unconfigured"
        return "active" if self._streams else "inactive"

    def _model_facts(self) -> dict[str, str]:
        predictor = self._predictor
        if predictor is None:
            return {}
        height, width = predictor.network_size
        return {
            "backend": f"{predictor.backend_name} ({predictor.backend_reason})",
            "model": str(predictor.model_path),
            "network size": f"{height}x{width}",
            "camera profile": str(predictor.profile_file or "none"),
        }


def ros_home() -> Path:
    """Folder in which ROS keeps files written by a user's nodes (rcl's rule for its logs)."""
    return Path(os.environ.get("ROS_HOME") or "~/.ros").expanduser()
