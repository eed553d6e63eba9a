"""Spoil pictures of one face as hands, masks, glasses, turned heads, bad light and bad cameras do.

Each function changes a frame in which the face's points are known, at the strength that its generator
draws. Sizes are in sides of the face's box, so that they are the same for small and large faces.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import cos, radians, sin
from types import MappingProxyType
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_web.vision.types import Frame

Points = NDArray[np.float32]
"""float32 (6, 2), x and y in frame pixels: both eyes, nose, mouth, both ears, the image's left first."""

EYE_LEFT, EYE_RIGHT, NOSE, MOUTH, EAR_LEFT, EAR_RIGHT = range(6)
HEAD_RADII: Final = (0.78, 0.95, 0.8)
"""Half width, height and depth of the ellipsoid that a turned head is, in sides of its box."""


@dataclass(frozen=True)
class Scene:
    """One face in a frame.

    Attributes:
        frame_bgr: uint8 (H, W, 3).
        side: of the face's box, pixels.
        points: float32 (6, 2).
    """

    frame_bgr: Frame
    side: float
    points: Points

    def moved(self, frame_bgr: Frame) -> "Scene":
        """Return the same face in a changed frame."""
        return replace(self, frame_bgr=frame_bgr)

    def axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the face's right and down, each float64 (2,) and as long as its box's side."""
        across = (self.points[EYE_RIGHT] - self.points[EYE_LEFT]).astype(np.float64)
        across *= self.side / max(float(np.hypot(*across)), 1e-3)
        return across, np.array([-across[1], across[0]])

    def at(self, origin: int, offsets: Any) -> NDArray[np.int32]:
        """Return points (N, 2) in whole pixels: offsets in sides, right and down, from one of the six."""
        across, down = self.axes()
        matrix = np.stack([across, down])
        return np.asarray(np.round(self.points[origin] + np.asarray(offsets) @ matrix), np.int32)


def cover_mouth(scene: Scene, rng: np.random.Generator) -> Scene:
    """Cover the mouth by a mask, a scarf, a hand, a cup or a phone of any brightness."""
    kind = rng.choice(["mask", "scarf", "hand", "cup"])
    wide, high = rng.uniform(0.28, 0.5), rng.uniform(0.16, 0.4)
    if kind == "mask":
        top = -rng.uniform(0.08, 0.3)
        chin = rng.uniform(0.28, 0.5)
        outline = [
            (-0.5, top + 0.06),
            (0, top),
            (0.5, top + 0.06),
            (0.42, 0.2),
            (0.2, chin),
            (-0.2, chin),
            (-0.42, 0.2),
        ]
        shape = _filled(scene, scene.at(MOUTH, outline))
    elif kind == "scarf":
        top = -rng.uniform(0.1, 0.22)
        shape = _filled(
            scene, scene.at(MOUTH, [(-1, top), (1, top + rng.uniform(-0.06, 0.06)), (1, 1), (-1, 1)])
        )
    elif kind == "hand":
        shape = _hand(scene, MOUTH, wide, rng)
    else:
        shift = rng.uniform(-0.06, 0.06, 2)
        box = np.array([(-wide, -high), (wide, -high), (wide, high * 1.6), (-wide, high * 1.6)]) + shift
        shape = _filled(scene, scene.at(MOUTH, box @ _turn(rng.uniform(-0.4, 0.4))))
    is_skin = kind == "hand" and rng.random() < 0.8
    return scene.moved(_painted(scene, shape, _texture(scene, rng, is_skin=is_skin), rng))


def cover_eyes(scene: Scene, rng: np.random.Generator) -> Scene:
    """Cover both eyes by sunglasses, a visor or a hand."""
    kind = rng.choice(["glasses", "glasses", "glasses", "visor", "hand"])
    if kind == "hand":
        between = scene.points[[EYE_LEFT, EYE_RIGHT]].mean(axis=0)
        shape = _band(
            scene, between, rng.uniform(0.36, 0.55), rng.uniform(0.1, 0.2), rng.uniform(-0.25, 0.25)
        )
        return scene.moved(_painted(scene, shape, _texture(scene, rng, is_skin=rng.random() < 0.7), rng))
    if kind == "visor":
        between = scene.points[[EYE_LEFT, EYE_RIGHT]].mean(axis=0)
        shape = _band(
            scene, between, rng.uniform(0.38, 0.55), rng.uniform(0.09, 0.17), rng.uniform(-0.1, 0.1)
        )
    else:
        shape = _glasses(scene, rng)
    dark = rng.random() < 0.85
    tone = np.full(scene.frame_bgr.shape, rng.uniform(0, 70) if dark else rng.uniform(0, 255), np.float32)
    tone += np.linspace(0, rng.uniform(-25, 60), scene.frame_bgr.shape[0], dtype=np.float32)[:, None, None]
    return scene.moved(_painted(scene, shape, tone, rng, opacity=rng.uniform(0.8, 1.0)))


def turn_head(scene: Scene, rng: np.random.Generator) -> Scene:
    """Turn the head by 28 to 60 degrees to a side, or by 25 to 45 up or down, as a flat or a round thing."""
    if rng.random() < 0.75:
        yaw, pitch = rng.choice([-1, 1]) * rng.uniform(28, 60), rng.uniform(-10, 10)
    else:
        yaw, pitch = rng.uniform(-12, 12), rng.choice([-1, 1]) * rng.uniform(25, 45)
    return turned(scene, float(yaw), float(pitch), is_round=rng.random() < 0.55)


def turned(scene: Scene, yaw_deg: float, pitch_deg: float, *, is_round: bool) -> Scene:
    """Turn the face of a frame.

    Args: is_round: the head is an ellipsoid; otherwise it is a flat picture seen aslant, in perspective.
    """
    height, width = scene.frame_bgr.shape[:2]
    centre = scene.points[[EYE_LEFT, EYE_RIGHT, MOUTH]].mean(axis=0)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = (x - centre[0]) / scene.side, (y - centre[1]) / scene.side
    seen = _on_ellipsoid(u, v, yaw_deg, pitch_deg) if is_round else _on_plane(u, v, yaw_deg, pitch_deg)
    map_x, map_y = (part * scene.side + middle for part, middle in zip(seen, centre, strict=True))
    frame = cv2.remap(
        scene.frame_bgr, map_x.astype(np.float32), map_y.astype(np.float32), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return scene.moved(np.asarray(frame, np.uint8))


def _on_ellipsoid(u: Any, v: Any, yaw_deg: float, pitch_deg: float) -> tuple[Any, Any]:
    """Return where in the frontal picture each place of the turned one comes from."""
    a, b, c = HEAD_RADII
    inside = 1 - (u / a) ** 2 - (v / b) ** 2
    z = c * np.sqrt(np.maximum(inside, 0))
    u0, v0, _ = _rotated_back(u, v, z, yaw_deg, pitch_deg)
    # Outside of the head the ground stays, and moves smoothly into it at the rim.
    share = np.clip(inside * 6, 0, 1)
    u0, v0 = np.clip(u0, -a, a), np.clip(v0, -b, b)
    return share * u0 + (1 - share) * u, share * v0 + (1 - share) * v


def _on_plane(u: Any, v: Any, yaw_deg: float, pitch_deg: float, distance: float = 3.5) -> tuple[Any, Any]:
    """The plane through the face is met by each ray from a camera, `distance` sides away."""
    yaw, pitch = radians(yaw_deg), radians(pitch_deg)
    right = np.array([cos(yaw), 0.0, -sin(yaw)])
    down = np.array([sin(yaw) * sin(pitch), cos(pitch), cos(yaw) * sin(pitch)])
    normal = np.cross(right, down)
    rays = np.stack([u, v, np.full_like(u, distance)], axis=-1)
    depth = (
        distance * normal[2] / np.minimum(rays @ normal, -1e-3)
        if normal[2] < 0
        else distance * normal[2] / np.maximum(rays @ normal, 1e-3)
    )
    hit = rays * depth[..., None] - np.array([0, 0, distance])
    return hit @ right, hit @ down


def _rotated_back(u: Any, v: Any, z: Any, yaw_deg: float, pitch_deg: float) -> tuple[Any, Any, Any]:
    yaw, pitch = radians(yaw_deg), radians(pitch_deg)
    v, z = v * cos(pitch) + z * sin(pitch), -v * sin(pitch) + z * cos(pitch)
    u, z = u * cos(yaw) - z * sin(yaw), u * sin(yaw) + z * cos(yaw)
    return u, v, z


def blur(scene: Scene, rng: np.random.Generator) -> Scene:
    """Blur the frame as a lens out of focus or a moving head does."""
    sigma = scene.side * rng.uniform(0.025, 0.11)
    if rng.random() < 0.6:
        return scene.moved(np.asarray(cv2.GaussianBlur(scene.frame_bgr, (0, 0), sigma), np.uint8))
    length = max(3, round(4.5 * sigma))
    kernel = np.zeros((length, length), np.float32)
    angle, middle = rng.uniform(0, np.pi), (length - 1) / 2
    reach = np.array([cos(angle), sin(angle)]) * middle
    start, end = (np.round(middle + way * reach).astype(int).tolist() for way in (-1, 1))
    cv2.line(kernel, start, end, 1.0)
    return scene.moved(np.asarray(cv2.filter2D(scene.frame_bgr, -1, kernel / kernel.sum()), np.uint8))


def darken(scene: Scene, rng: np.random.Generator) -> Scene:
    """Leave 4 to 25 percent of the light, with a sensor's noise."""
    lit = scene.frame_bgr * rng.uniform(0.04, 0.25)
    noise = rng.normal(0, rng.uniform(1, 5), scene.frame_bgr.shape[:2])[..., None]
    return scene.moved(np.clip(lit + noise, 0, 255).astype(np.uint8))


def shrink(scene: Scene, rng: np.random.Generator) -> Scene:
    """Make the face 14 to 34 pixels wide."""
    factor = rng.uniform(14, 34) / scene.side
    size = [max(1, round(side * factor)) for side in scene.frame_bgr.shape[1::-1]]
    frame = cv2.resize(scene.frame_bgr, size, interpolation=cv2.INTER_AREA)
    noisy = frame + rng.normal(0, rng.uniform(0, 4), frame.shape)
    return Scene(
        np.clip(noisy, 0, 255).astype(np.uint8), scene.side * factor, scene.points * np.float32(factor)
    )


def cut_off(scene: Scene, rng: np.random.Generator) -> Scene:
    """Put the frame's edge through the face: 15 to 45 percent of its box is outside."""
    share, edge = rng.uniform(0.15, 0.45), rng.integers(4)
    centre = scene.points[[EYE_LEFT, EYE_RIGHT, MOUTH]].mean(axis=0)
    height, width = scene.frame_bgr.shape[:2]
    reach = scene.side * (0.5 - share)
    left, top, right, bottom = 0, 0, width, height
    if edge == 0:
        left = round(max(0.0, centre[0] - reach))
    elif edge == 1:
        right = round(min(width, centre[0] + reach))
    elif edge == 2:
        top = round(max(0.0, centre[1] - reach))
    else:
        bottom = round(min(height, centre[1] + reach))
    moved = scene.points - np.array([left, top], np.float32)
    return Scene(np.ascontiguousarray(scene.frame_bgr[top:bottom, left:right]), scene.side, moved)


Spoil = Callable[[Scene, np.random.Generator], Scene]

SPOILS: Final[Mapping[str, Spoil]] = MappingProxyType(
    {
        "mouth_covered": cover_mouth,
        "eyes_covered": cover_eyes,
        "turned": turn_head,
        "blurred": blur,
        "dark": darken,
        "small": shrink,
        "cut": cut_off,
    }
)
"""What happens to faces, by the reason that is given for it."""


def _filled(scene: Scene, outline: NDArray[np.int32]) -> NDArray[np.float32]:
    mask = np.zeros(scene.frame_bgr.shape[:2], np.uint8)
    cv2.fillPoly(mask, [outline.reshape(-1, 1, 2)], 255)
    return np.asarray(mask / 255, np.float32)


def _band(scene: Scene, middle: Any, wide: float, high: float, angle: float) -> NDArray[np.float32]:
    across, down = scene.axes()
    box = np.array([(-wide, -high), (wide, -high), (wide, high), (-wide, high)]) @ _turn(angle)
    return _filled(scene, np.round(middle + box @ np.stack([across, down])).astype(np.int32))


def _glasses(scene: Scene, rng: np.random.Generator) -> NDArray[np.float32]:
    across, _ = scene.axes()
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    wide, high = scene.side * rng.uniform(0.13, 0.21), scene.side * rng.uniform(0.1, 0.17)
    mask = np.zeros(scene.frame_bgr.shape[:2], np.uint8)
    is_box = rng.random() < 0.4
    centres = [scene.points[each] + np.array([0, high * 0.15]) for each in (EYE_LEFT, EYE_RIGHT)]
    for centre in centres:
        if is_box:
            corners = cv2.boxPoints(((float(centre[0]), float(centre[1])), (2 * wide, 2 * high), angle))
            cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 255)
        else:
            axes = (max(1, round(wide)), max(1, round(high)))
            cv2.ellipse(mask, np.round(centre).astype(int).tolist(), axes, angle, 0, 360, 255, -1)
    ends = [np.round(centre).astype(int).tolist() for centre in centres]
    cv2.line(mask, ends[0], ends[1], 255, max(1, round(scene.side * 0.03)))
    return np.asarray(mask / 255, np.float32)


def _hand(scene: Scene, origin: int, wide: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """A palm and four fingers across a point, from below or from a side."""
    mask = np.zeros(scene.frame_bgr.shape[:2], np.uint8)
    lean = rng.choice([-1, 1]) * rng.uniform(0.2, 1.5)
    turn = _turn(lean)
    thickness = max(1, round(scene.side * rng.uniform(0.11, 0.16)))
    for finger in np.linspace(-0.2, 0.22, 4) + rng.uniform(-0.03, 0.03, 4):
        ends = np.array([(finger, -rng.uniform(0.1, 0.4)), (finger * 0.9, 0.9)]) @ turn
        start, end = scene.at(origin, ends).tolist()
        cv2.line(mask, start, end, 255, thickness)
    palm = np.array([(-wide, 0.15), (wide, 0.15), (wide, 1.0), (-wide, 1.0)]) @ turn
    cv2.fillPoly(mask, [scene.at(origin, palm).reshape(-1, 1, 2)], 255)
    return np.asarray(mask / 255, np.float32)


def _turn(angle: float) -> NDArray[np.float64]:
    return np.array([[cos(angle), sin(angle)], [-sin(angle), cos(angle)]])


def _texture(scene: Scene, rng: np.random.Generator, *, is_skin: bool) -> NDArray[np.float32]:
    """Return float32 (H, W, 3): plain, shaded, striped or blotched; in the face's own tone for skin."""
    height, width = scene.frame_bgr.shape[:2]
    if is_skin:
        x, y = np.clip(np.round(scene.points[NOSE]), 0, (width - 1, height - 1)).astype(int)
        reach = max(1, round(scene.side * 0.1))
        around = scene.frame_bgr[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        colour = around.reshape(-1, 3).mean(axis=0) * rng.uniform(0.7, 1.2)
    else:
        colour = np.full(3, rng.uniform(0, 255)) + (rng.normal(0, 30, 3) if rng.random() < 0.5 else 0)
    shade = cv2.resize(
        rng.normal(0, rng.uniform(0, 25), (3, 3)).astype(np.float32),
        (width, height),
        interpolation=cv2.INTER_CUBIC,
    )
    if rng.random() < 0.3:
        period = scene.side * rng.uniform(0.08, 0.3)
        angle = rng.uniform(0, np.pi)
        y, x = np.mgrid[0:height, 0:width]
        shade = shade + rng.uniform(5, 50) * np.sin(2 * np.pi * (x * cos(angle) + y * sin(angle)) / period)
    if rng.random() < 0.3:
        cells = max(2, round(height / (scene.side * rng.uniform(0.04, 0.15))))
        blotches = rng.normal(0, rng.uniform(5, 40), (cells, cells)).astype(np.float32)
        shade = shade + cv2.resize(blotches, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(colour + shade[..., None], np.float32)


def _painted(
    scene: Scene,
    shape: NDArray[np.float32],
    texture: NDArray[np.float32],
    rng: np.random.Generator,
    opacity: float = 1.0,
) -> Frame:
    """Paint a texture where the shape is, its rim as sharp as the face's own picture."""
    soft = cv2.GaussianBlur(shape, (0, 0), scene.side * rng.uniform(0.004, 0.025))[..., None] * opacity
    mixed = scene.frame_bgr * (1 - soft) + texture * soft
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)
