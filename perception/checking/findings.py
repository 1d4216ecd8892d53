# SPDX-License-Identifier: Apache-2.0
"""The kinds of findings: a stable code, a severity, the meaning and the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ERROR, WARN, INFO = "ERROR", "WARN", "INFO"
SEVERITIES: tuple[str, ...] = (ERROR, WARN, INFO)
"""Worst first. ERROR: something is used wrongly or not at all. WARN: it works worse than it could. INFO: a note."""


@dataclass(frozen=True)
class Kind:
    """A row of the table. meaning: in general; a finding's `what` is about this recording."""

    severity: str
    meaning: str
    mend: str


@dataclass(frozen=True)
class Finding:
    """where: the topic, sensor or frame. what: a description with numbers."""

    code: str
    severity: str
    where: str
    what: str
    mend: str


KINDS: dict[str, Kind] = {
    # Presence
    "no-sensor": Kind(
        ERROR,
        "none of the node's sensor topics exists",
        "name the topics: --topics FILE, or --ros-args -r image:=/your/topic with --live",
    ),
    "sensor-missing": Kind(
        ERROR, "a sensor given with --expect sends nothing", "start its driver, or name its topic in --topics FILE"
    ),
    "topic-missing": Kind(
        WARN, "a topic named by --topics or rig.yaml does not exist", "correct its name, or remove it from the file"
    ),
    "topics-named": Kind(INFO, "how the topics were found", "use --topics FILE to change this"),
    "topic-type": Kind(ERROR, "a topic is of another type than the node takes", "publish the type that the node takes"),
    "bag-broken": Kind(
        ERROR, "the recording breaks off", "record again, or `ros2 bag reindex`; the part before the break is checked"
    ),
    "message-broken": Kind(
        ERROR, "messages contradict their own description", "check the driver: the named field is wrong"
    ),
    "encoding": Kind(
        ERROR,
        "an image's encoding is impossible for the sensor",
        "set the driver's encoding to one of those listed",
    ),
    "node-word": Kind(WARN, "the node reports a problem with a message", "see its message"),
    # Rates
    "rate-low": Kind(
        WARN,
        "a sensor is so slow that the node may leave it out",
        "raise its rate, or set SENSOR.timeout_s to more than two of its periods",
    ),
    "rate-jitter": Kind(
        WARN,
        "a sensor's instants are irregular",
        "check for a loaded processor, USB or network; trigger the camera by hardware",
    ),
    "messages-dropped": Kind(
        WARN,
        "messages are missing in between",
        "start both sides with a large Fast DDS segment (perception/ros/fastdds.xml); record to a fast disk",
    ),
    "too-short": Kind(INFO, "too few messages to judge a rate", "check ten seconds or more"),
    # Stamps and clocks
    "stamp-zero": Kind(
        ERROR, "header stamps are zero", "let the driver stamp at acquisition; until then the arrival time is used"
    ),
    "stamp-repeated": Kind(
        WARN, "messages of one sensor have the same stamp, and are left out", "stamp each message at its acquisition"
    ),
    "stamp-order": Kind(
        WARN, "stamps go back", "check for a clock that jumps (NTP, PTP) or two publishers on one topic"
    ),
    "clock-offset": Kind(
        ERROR,
        "a sensor's clock differs from the receiver's",
        "synchronise it by PTP, GPS or NTP, or let its driver use the host's time; for the rest: SENSOR.offset_s",
    ),
    "clock-drift": Kind(
        WARN, "a sensor's clock runs faster or slower than the receiver's", "synchronise it by PTP or NTP"
    ),
    "clock-recorder": Kind(
        INFO,
        "all sensors share a clock that is not the receiver's, as in a bag that was recorded from another bag",
        "nothing for a bag; live, set use_sim_time or the host's clock",
    ),
    "sensor-late": Kind(
        WARN,
        "a sensor's messages arrive late after their stamps",
        "shorten its driver's filters and its queue; too early stamps look the same: then set SENSOR.offset_s",
    ),
    "pairing-low": Kind(
        WARN,
        "a sensor is in fewer sets than its rate would allow: its stamps are too far from the trigger's",
        "trigger the sensors together, or raise tolerance_s",
    ),
    # Quality of service
    "qos-mismatch": Kind(
        ERROR,
        "a publisher's quality of service is incompatible with the node's, so nothing is received",
        "publish with the QoS that the node requests, or set qos_overrides.TOPIC.subscription.POLICY on the node",
    ),
    # Frames
    "frame-empty": Kind(WARN, "header.frame_id is empty", "set it in the driver to the sensor's frame in TF"),
    "frame-duplicate": Kind(
        ERROR,
        "a camera and a LiDAR have the same frame id, so that TF puts them in one place",
        "give each its own frame id",
    ),
    "frame-unknown": Kind(
        ERROR,
        "a sensor's frame is not in TF, although others are",
        "correct frame_id in the driver, or add the frame to the vehicle's description",
    ),
    "frame-mismatch": Kind(
        ERROR,
        "depth or infrared is in a frame that cannot be registered to the camera",
        "publish its camera_info, or register it in the driver and name the camera's frame",
    ),
    "tf-missing": Kind(
        ERROR,
        "the mounting of the LiDAR, or of a second camera, is unknown",
        "publish /tf_static (robot_state_publisher or static_transform_publisher), or give --calibration",
    ),
    "tf-unheard": Kind(
        INFO,
        "TF cannot be received here, neither by this command nor by the node",
        "source a ROS 2 installation, or give --calibration and the node's calibration_file",
    ),
    "tf-conflict": Kind(
        ERROR, "a frame has two parents, or two poses at one parent", "let only one publisher place each frame"
    ),
    "tf-broken": Kind(ERROR, "a transform is not rigid", "check its publisher: NaN, or a quaternion of length 0"),
    "optical-frame": Kind(
        ERROR,
        "the camera's frame is a body frame (z up), not the optical one",
        "name the optical frame (x right, y down, z forward; REP 103) in images and camera_info",
    ),
    "lidar-out-of-view": Kind(
        ERROR,
        "no point of the sweep falls into the image",
        "check the mounting in TF: does the LiDAR see what the camera sees?",
    ),
    "odometry-frame": Kind(
        WARN,
        "odometry's child_frame_id is empty or not in TF, so that it cannot be used to move sweeps",
        "set child_frame_id to the vehicle's frame, as TF names it",
    ),
    # Calibration
    "camera-info-missing": Kind(
        ERROR,
        "images come without camera_info, so that LiDAR and depth cannot be placed in them",
        "publish camera_info beside the image (camera_info_manager), or give --calibration",
    ),
    "info-size": Kind(
        ERROR,
        "camera_info has another size or shape than the image",
        "calibrate at the published size; crops belong in roi",
    ),
    "info-broken": Kind(ERROR, "camera_info contradicts itself", "calibrate again; see which field is named"),
    "rectification-unclear": Kind(
        WARN,
        "camera_info has distortion and P equals K: whether images are rectified is unclear",
        "set image_rectified to yes or no, or set d to zeros for rectified images",
    ),
    "not-rectified": Kind(
        INFO,
        "images are not rectified; the node rectifies them",
        "nothing; subscribing to image_rect saves the time",
    ),
    "left-right": Kind(
        WARN,
        "the camera is called left, but its camera_info is the right camera's (a baseline in P)",
        "swap the pair's topics or calibration files",
    ),
    # Content
    "frozen": Kind(ERROR, "a sensor repeats the same content under new stamps", "restart its driver, check its cable"),
    "image-black": Kind(ERROR, "images are black", "check lens cap, exposure, shutter"),
    "image-constant": Kind(
        ERROR, "images have only one colour or value", "check exposure, cable, driver's test picture"
    ),
    "no-values": Kind(
        ERROR, "depth or LiDAR measures nothing", "check its lamp or motor, range settings, and its driver's units"
    ),
    "depth-holes": Kind(
        WARN, "hardly any pixel has depth", "check exposure and projector of the depth camera, and its range settings"
    ),
    "depth-unit": Kind(
        ERROR, "depth has another unit than its encoding means", "use 16UC1 for millimetres, 32FC1 for metres (REP 118)"
    ),
    "depth-scale": Kind(
        WARN, "depth and LiDAR measure different distances", "calibrate the depth camera: baseline and focal length"
    ),
    "depth-unrelated": Kind(
        ERROR,
        "depth is unrelated to the LiDAR's distances",
        "check the topic, the registration and the stamps",
    ),
    "sensors-swapped": Kind(ERROR, "depth and infrared are swapped", "swap the two topics"),
    "colours-swapped": Kind(
        WARN, "red and blue look swapped: the sky is orange", "set the encoding that the bytes have, rgb8 or bgr8"
    ),
    "bit-depth": Kind(
        WARN, "a 16-bit image uses 8 bits or fewer", "send the camera's raw counts (Y16), not the 8 bits of its display"
    ),
    "intensity-missing": Kind(WARN, "the cloud has no intensity", "switch the field on in the LiDAR's driver"),
    "intensity-constant": Kind(WARN, "every point has the same intensity", "switch intensity on, or calibrate it"),
    "intensity-range": Kind(
        WARN, "intensities use a small part of their range", "set lidar.intensity_max to the value that means 1"
    ),
    "intensity-scale": Kind(INFO, "which intensity means 1", "set lidar.intensity_max to change it"),
    # Geometry
    "ground-tf": Kind(
        WARN,
        "the measured ground is not where TF puts it",
        "correct the camera's height, pitch and roll in TF, or the ground frame (wheels on the ground, z up)",
    ),
    "ground-sensors": Kind(
        WARN,
        "LiDAR and depth see the ground at different heights or angles",
        "check the LiDAR's pitch and roll in TF, then the depth camera's scale",
    ),
    "camera-tilted": Kind(
        WARN,
        "the camera is tilted more than in the training data",
        "mount it with at most 8° of roll and 14° of pitch",
    ),
    "ground-unseen": Kind(INFO, "too little ground is seen to determine its plane", "check a stretch of open road"),
    "lidar-misaligned": Kind(
        WARN, "the sweep's edges do not lie on the image's", "calibrate the LiDAR to the camera again; see the picture"
    ),
    "sensor-idle": Kind(INFO, "a sensor changes next to nothing in the masks", "see the pictures"),
}
"""All findings, by code."""


def finding(code: str, where: str, what: str) -> Finding:
    """A finding of this kind at this place."""
    kind = KINDS[code]
    return Finding(code, kind.severity, where, what, kind.mend)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """By severity, then in the order of KINDS; each once."""
    order = {code: place for place, code in enumerate(KINDS)}
    return sorted(dict.fromkeys(findings), key=lambda each: (SEVERITIES.index(each.severity), order[each.code]))


def markdown() -> str:
    """The table of docs/check.md."""
    rows = [f"| `{code}` | {kind.severity} | {kind.meaning} | {kind.mend} |" for code, kind in KINDS.items()]
    return "\n".join(["| code | | what it means | what to do |", "|---|---|---|---|", *rows]) + "\n"
