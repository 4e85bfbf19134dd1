"""The node: camera images in, metric depth and its uncertainty out.

A managed (lifecycle) node. *Configure* loads the model and creates the output topics, *activate*
starts the worker thread and subscribes; *deactivate* and *cleanup* undo that.
"""

from __future__ import annotations

import logging
import threading

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import QoSPresetProfiles
from rclpy.qos_overriding_options import QoSOverridingOptions
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from adu_depth_core.errors import UserError
from adu_depth_core.inference.predictor import Predictor
from adu_depth_ros.depth_publishers import DepthPublishers
from adu_depth_ros.diagnostics import frame_values, judge, key_values
from adu_depth_ros.engine_loading import BuildStopped, build_or_find, model_to_load
from adu_depth_ros.frame_pipeline import FramePipeline
from adu_depth_ros.frame_statistics import FrameStatistics
from adu_depth_ros.parameters import (
    check_value,
    declare_parameters,
    is_dynamic,
    parse_network_size,
    read_parameters,
)
from adu_depth_ros.ros_log_handler import RosLogHandler

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
CORE_LOG = logging.getLogger("adu_depth_core")


class DepthNode(LifecycleNode):
    """See docs/node.md for topics, parameters and diagnostics.

    :param stop: set when the process is to end: what takes long, the build of an engine, is given up then
    :param options: passed on to ``rclpy.node.Node``, e.g. ``namespace`` or ``parameter_overrides``
    :raises rclpy.exceptions.ParameterException: if a parameter was given with a wrong type or value
    """

    def __init__(self, stop: threading.Event, **options) -> None:
        super().__init__("depth_node", **options)
        self.stop = stop
        self._predictor: Predictor | None = None
        self._outputs: DepthPublishers | None = None
        self._pipeline: FramePipeline | None = None
        self._inputs: list[Subscription] = []
        self._failure = ""
        self._building = ""
        self._finalized = False
        self.add_on_set_parameters_callback(self._check_parameters)
        declare_parameters(self)
        self._log_handler = RosLogHandler(self.get_logger())
        CORE_LOG.addHandler(self._log_handler)
        self._survive_impossible_transitions()
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 1)
        # Steady: with use_sim_time and no /clock, diagnostics are what one needs most.
        steady_clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._publish_diagnostics, clock=steady_clock)

    def builds_only(self) -> bool:
        """Whether the node is to build an engine and end, by the parameter ``build_only``."""
        return read_parameters(self).build_only

    def build(self) -> bool:
        """Build the model's engine into the cache, if it is not there; whether it is now."""
        try:
            build_or_find(self, read_parameters(self), self._tell_of_build)
        except UserError as error:
            self.get_logger().error(f"no engine: {error}")
            return False
        except BuildStopped:
            return False
        return True

    def autostart(self) -> None:
        """Configure and activate, if the parameter of that name says so."""
        if read_parameters(self).autostart and self.trigger_configure() == SUCCESS:
            self.trigger_activate()

    def destroy_node(self) -> None:
        self._release()
        CORE_LOG.removeHandler(self._log_handler)
        super().destroy_node()

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            parameters = read_parameters(self)
            self._predictor = Predictor(
                model=model_to_load(self, parameters, self._tell_of_build),
                backend=parameters.backend,
                network_size=parse_network_size(parameters.network_size),
                threads=parameters.threads or None,
                profile=parameters.profile,
            )
            self._outputs = DepthPublishers(self)
        except BuildStopped:
            return FAILURE
        except Exception as error:  # whatever it is, the node stays for the next attempt
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
        result = super().on_activate(state)
        self._pipeline = FramePipeline(self, self._predictor, self._outputs)
        message_type = CompressedImage if self._image_topic() == "image/compressed" else Image
        self._subscribe(CameraInfo, "camera_info", self._pipeline.on_camera_info)
        self._subscribe(message_type, self._image_topic(), self._pipeline.on_image)
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

    def _subscribe(self, message_type, topic, callback) -> None:
        subscription = self.create_subscription(
            message_type,
            topic,
            callback,
            QoSPresetProfiles.get_from_short_key("sensor_data"),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        self._inputs.append(subscription)

    def _stop(self) -> None:
        while self._inputs:
            self.destroy_subscription(self._inputs.pop())
        if self._pipeline is not None:
            self._pipeline.stop()
            self._pipeline = None

    def _release(self) -> None:
        self._stop()
        if self._outputs is not None:
            self._outputs.destroy()
            self._outputs = None
        self._predictor = None

    def _survive_impossible_transitions(self) -> None:
        """Answer a request for a transition that is not possible now with "no".

        rclpy lets the state machine's exception out of the service's callback, which ends the process.
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

    # Parameters

    def _check_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        for parameter in parameters:
            try:
                check_value(parameter)
            except ValueError as error:
                return SetParametersResult(successful=False, reason=str(error))
            if self._predictor is not None and not is_dynamic(parameter.name):
                name = self.get_fully_qualified_name()
                return SetParametersResult(
                    successful=False,
                    reason=f"{parameter.name} is used when the node is configured. To change it: "
                    f"ros2 lifecycle set {name} deactivate; ros2 lifecycle set {name} cleanup; then set "
                    f"the parameter, and ros2 lifecycle set {name} configure, and activate",
                )
        return SetParametersResult(successful=True)

    # Diagnostics

    def _tell_of_build(self, text: str) -> None:
        """Publish at once: the executor, and with it the timer, stands still during a build."""
        self._building = text
        self._publish_diagnostics()

    def _publish_diagnostics(self) -> None:
        pipeline = self._pipeline
        statistics = pipeline.statistics if pipeline is not None else FrameStatistics()
        snapshot = statistics.snapshot()
        topic = self.resolve_topic_name(self._image_topic())
        level, message = judge(self._state_label(), self._failure, topic, snapshot, self._building)
        status = DiagnosticStatus(
            level=level,
            # In the namespaces of several cameras nodes have the same name.
            name=f"{self.get_fully_qualified_name().lstrip('/')}: depth",
            message=message,
            hardware_id=pipeline.frame_id if pipeline is not None else "",
            values=key_values({"state": self._state_label(), **self._model_facts()}) + frame_values(snapshot),
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)

    def _state_label(self) -> str:
        if self._finalized:
            return "finalized"
        if self._building:
            return "building"
        if self._predictor is None:
            return "unconfigured"
        return "inactive" if self._pipeline is None else "active"

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

    def _image_topic(self) -> str:
        return "image/compressed" if read_parameters(self).image_transport == "compressed" else "image"
