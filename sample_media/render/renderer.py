"""Rendering of figures in simple sets, with Mitsuba 3 and, where present, a denoiser."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import drjit as dr
import mitsuba as mi
import numpy as np
from numpy.typing import NDArray
from people import Array, Figure, Part, Strands
from scipy.ndimage import binary_dilation

if not mi.variant():
    mi.set_variant(os.environ.get("MITSUBA_VARIANT", "scalar_rgb"))


def _load_denoiser() -> Any:
    """Open Image Denoise, after the library that its package fails to find itself."""
    found = importlib.util.find_spec("oidn")
    if found is None or found.origin is None:  # pictures only get noisier
        return None
    try:
        for path in (Path(found.origin).parent / "lib.linux.x64").glob("libtbb.so*"):
            ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
        return importlib.import_module("oidn")
    except (ImportError, OSError, RuntimeError):
        return None


oidn = _load_denoiser()

MATERIALS: dict[str, dict[str, Any]] = {
    "skin": {"type": "principled", "roughness": 0.48, "specular": 0.38},
    "cloth": {"type": "principled", "roughness": 0.9, "specular": 0.1, "sheen": 0.3},
    "eye": {"type": "principled", "roughness": 0.12, "specular": 0.5},
    "teeth": {"type": "principled", "roughness": 0.3, "specular": 0.4},
    "plastic": {"type": "principled", "roughness": 0.3, "specular": 0.5},
    "wood": {"type": "principled", "roughness": 0.45, "specular": 0.3},
    "matt": {"type": "diffuse"},
}


@dataclass(frozen=True)
class Camera:
    """A pinhole camera: where it stands, what it looks at, its view and picture size."""

    origin: tuple[float, float, float]
    target: tuple[float, float, float]
    fov: float = 34.0  # horizontal, degrees
    width: int = 1200
    height: int = 800

    def axes(self) -> tuple[Array, Array, Array, float]:
        """Directions to the front, right and top, and the focal length in pixels."""
        forward = np.array(self.target, float) - np.array(self.origin, float)
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0, 0, 1.0])
        right /= np.linalg.norm(right)
        focal = self.width / 2 / np.tan(np.radians(self.fov) / 2)
        return forward, right, np.cross(right, forward), float(focal)

    def project(self, points: Array) -> Array:
        """Pixel coordinates (n, 2) of world points."""
        forward, right, up, focal = self.axes()
        rel = points - np.array(self.origin, float)
        depth = rel @ forward
        return np.stack([self.width / 2 + focal * (rel @ right) / depth,
                         self.height / 2 - focal * (rel @ up) / depth], axis=1)  # fmt: skip

    def rays(self, pixels: Array) -> Array:
        """Directions (n, 3) in which the camera sees pixel coordinates (n, 2)."""
        forward, right, up, focal = self.axes()
        x, y = ((pixels - [self.width / 2, self.height / 2]) / focal).T
        way = forward + x[:, None] * right - y[:, None] * up
        return way / np.linalg.norm(way, axis=1, keepdims=True)


@dataclass
class Stage:
    """A set: fixed geometry, lights and figures, ready to be rendered."""

    parts: list[Part] = field(default_factory=list)
    lights: dict[str, dict[str, Any]] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    exposure: float = 1.0
    extra: dict[str, Any] = field(default_factory=dict)


def _material(part: Part) -> dict[str, Any]:
    made = dict(MATERIALS[part.material])
    slot = "reflectance" if made["type"] == "diffuse" else "base_color"
    if part.texture is not None:
        made[slot] = {
            "type": "bitmap", "raw": True, "filter_type": "bilinear", "wrap_mode": "clamp",
            "bitmap": mi.Bitmap(np.ascontiguousarray(part.texture, dtype=np.float32)),
        }  # fmt: skip
    elif part.colour is not None and len(part.colour) == 1:
        made[slot] = {"type": "rgb", "value": [float(c) for c in part.colour[0]]}
    else:
        made[slot] = {"type": "mesh_attribute", "name": "vertex_color"}
    return {"type": "twosided", "inner": made}


def _mesh(part: Part) -> Any:
    props = mi.Properties()
    props["mesh_bsdf"] = mi.load_dict(_material(part))
    mesh = mi.Mesh(
        part.name, len(part.points), len(part.faces), props=props,
        has_vertex_normals=True, has_vertex_texcoords=part.uv is not None,
    )  # fmt: skip
    by_vertex = part.colour is not None and len(part.colour) > 1
    if by_vertex:
        mesh.add_attribute("vertex_color", 3, np.zeros(3 * len(part.points), np.float32))
    params = mi.traverse(mesh)
    params["vertex_positions"] = part.points.ravel().astype(np.float32)
    params["vertex_normals"] = part.normals.ravel().astype(np.float32)
    params["faces"] = part.faces.ravel().astype(np.uint32)
    if part.uv is not None:
        down = part.uv * [1, -1] + [0, 1]  # a bitmap's first row is its top
        params["vertex_texcoords"] = down.ravel().astype(np.float32)
    if by_vertex and part.colour is not None:
        params["vertex_color"] = part.colour.ravel().astype(np.float32)
    params.update()
    return mesh


def _control_points(strands: Strands) -> Array:
    count, steps, _ = strands.points.shape
    taper = np.interp(np.linspace(0, 1, steps), [0, 0.6, 1], [1, 0.9, 0.35]) * strands.radius
    rows = np.concatenate(
        [strands.points, np.broadcast_to(taper[None, :, None], (count, steps, 1))], axis=2
    )
    return np.concatenate([rows[:, :1], rows, rows[:, -1:]], axis=1)  # reach the end points


def _curves(strands: Strands, folder: Path, name: str) -> dict[str, Any]:
    rows = _control_points(strands)
    count = len(rows)
    path = folder / f"{name}.txt"
    line = "%.5f %.5f %.5f %.6f\n"
    block = line * rows.shape[1] + "\n"
    path.write_text("".join(block % tuple(row) for row in rows.reshape(count, -1).tolist()))
    return {
        "type": "bsplinecurve", "filename": str(path),
        "bsdf": {"type": "principled", "roughness": 0.42, "specular": 0.45,
                 "base_color": {"type": "rgb", "value": [float(c) for c in strands.colour]}},
    }  # fmt: skip


def merged(parts: list[Part]) -> list[Part]:
    """Join the pieces without a texture that share a material: far faster to render."""
    result = [part for part in parts if part.texture is not None]
    for material in sorted({part.material for part in parts if part.texture is None}):
        group = [p for p in parts if p.texture is None and p.material == material]
        start = np.cumsum([0] + [len(p.points) for p in group])
        colours = [np.broadcast_to(p.colour, p.points.shape) for p in group
                   if p.colour is not None]  # fmt: skip
        result.append(Part(
            f"merged-{material}", np.concatenate([p.points for p in group]),
            np.concatenate([p.faces + s for p, s in zip(group, start[:-1], strict=True)]),
            np.concatenate([p.normals for p in group]), None, np.concatenate(colours), None,
            material,
        ))  # fmt: skip
    return result


def render(stage: Stage, camera: Camera, samples: int = 24, seed: int = 0) -> NDArray[np.uint8]:
    """Render a set from a camera: sRGB pixels (height, width, 3)."""
    transform = mi.ScalarTransform4f()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made: dict[str, Any] = {
            "type": "scene",
            "integrator": {"type": "aov", "aovs": "al:albedo,nn:sh_normal",
                           "inner": {"type": "path", "max_depth": 5}},
            "sensor": {
                "type": "perspective", "fov": camera.fov, "fov_axis": "x",
                "to_world": transform.look_at(list(camera.origin), list(camera.target),
                                              [0, 0, 1]),
                "film": {"type": "hdrfilm", "width": camera.width, "height": camera.height,
                         "pixel_format": "rgb", "component_format": "float32",
                         "rfilter": {"type": "box"}},
                "sampler": {"type": "independent", "sample_count": samples, "seed": seed},
            },
            **stage.lights, **stage.extra,
        }  # fmt: skip
        parts = [*stage.parts, *(part for person in stage.figures for part in person.parts)]
        for number, part in enumerate(merged(parts)):
            made[f"part{number}"] = _mesh(part)
        for number, person in enumerate(stage.figures):
            for index, strands in enumerate(person.strands):
                label = f"hair{number}_{index}"
                made[label] = _curves(strands, folder, label)
        image = np.array(mi.render(mi.load_dict(made), seed=seed), dtype=np.float32)
    colour, albedo, normal = image[..., :3], image[..., 3:6], image[..., 6:9]
    colour = np.nan_to_num(colour, posinf=30).clip(0, 30)
    colour = denoise(colour, np.nan_to_num(albedo).clip(0, 1), np.nan_to_num(normal))
    return tone(colour * stage.exposure)


class Film:
    """A stage whose people move: built once, then posed anew for every frame.

    Only the pixels around people are traced; the rest is one picture of the empty set. Needs a
    variant of Mitsuba that traces many rays at once, such as ``llvm_ad_rgb``.
    """

    def __init__(self, stage: Stage, camera: Camera, samples: int) -> None:
        """Build the scene with the stage's figures, which every pose has to name alike."""
        self.camera, self.samples, self.exposure = camera, samples, stage.exposure
        self.integrator = mi.load_dict(
            {"type": "aov", "aovs": "al:albedo,nn:sh_normal",
             "inner": {"type": "path", "max_depth": 3}})  # fmt: skip
        made: dict[str, Any] = {"type": "scene", **stage.lights, **stage.extra}
        for number, part in enumerate(merged(stage.parts)):
            made[f"set{number}"] = _mesh(part)
        with tempfile.TemporaryDirectory() as name:
            for number, person in enumerate(stage.figures):
                for index, part in enumerate(merged(person.parts)):
                    made[f"p{number}-body{index}"] = _mesh(part)
                for index, strands in enumerate(person.strands):
                    label = f"p{number}-hair{index}"
                    made[label] = _curves(strands, Path(name), label)
            self.scene = mi.load_dict(made)
        self.params = mi.traverse(self.scene)
        self.sampler = mi.load_dict({"type": "independent"})
        ids = {int(dr.reinterpret_array(mi.UInt32, mi.ShapePtr(shape))[0]): shape.id()
               for shape in self.scene.shapes()}  # fmt: skip
        self.owner = np.full(max(ids) + 1, -1)  # by a shape's number; 0: no shape
        self.hairy = np.array(["-hair" in ids.get(k, "") for k in range(max(ids) + 1)])
        for number, label in ids.items():
            if label[0] == "p":
                self.owner[number] = int(label[1:].partition("-")[0])
        rows, columns = np.indices((camera.height, camera.width))
        self.pixels = np.stack([columns.ravel(), rows.ravel()], axis=1)
        self.empty: Array | None = None

    def pose(self, figures: list[Figure], move: float = 0.0) -> None:
        """Put the people where they are in the next picture, or ``move`` metres away."""
        away = np.array([0, move, 0])
        for number, person in enumerate(figures):
            for index, part in enumerate(merged(person.parts)):
                label = f"p{number}-body{index}"
                self.params[f"{label}.vertex_positions"] = _flat(part.points + away)
                self.params[f"{label}.vertex_normals"] = _flat(part.normals)
            for index, strands in enumerate(person.strands):
                rows = _control_points(strands)
                rows[..., :3] += away
                self.params[f"p{number}-hair{index}.control_points"] = _flat(rows)
        self.params.update()

    def hits(self, pixels: Array) -> tuple[NDArray[np.int64], Array]:
        """What is seen at pixel coordinates: a figure's number or -1, and its distance."""
        shapes, distance = self._shapes(self._rays(pixels))
        return self.owner[shapes], distance

    def people(self) -> NDArray[np.int64]:
        """Whom each pixel shows: a figure's number or -1."""
        owner, _ = self.hits(self.pixels + 0.5)
        return owner.reshape(self.camera.height, self.camera.width)

    def picture(self, figures: list[Figure], seed: int = 0) -> NDArray[np.uint8]:
        """The next frame, after :meth:`pose`: sRGB pixels (height, width, 3)."""
        if self.empty is None:
            self.pose(figures, -60.0)  # far behind the camera
            raw, _ = self._trace(self.pixels, 3 * self.samples, 1)
            self.empty = raw.reshape(self.camera.height, self.camera.width, 9)
            self.empty[..., :3] = _denoised(self.empty)
            self.pose(figures)
        mixed = self.empty.copy()
        wanted = binary_dilation(self.people() >= 0, iterations=4)
        if wanted.any():  # what people take of these pixels, before the empty set
            traced, share = self._trace(self.pixels[wanted.ravel()], self.samples, seed, True)
            mixed[wanted] = traced + (1 - share) * mixed[wanted]
            rows, columns = (np.flatnonzero(wanted.any(axis)) for axis in (1, 0))
            part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            smooth = _denoised(mixed[part])
            mixed[part][..., :3][wanted[part]] = smooth[wanted[part]]
        return tone(mixed[..., :3] * self.exposure)

    def _rays(self, pixels: Array) -> Any:
        ways = mi.Vector3f(self.camera.rays(pixels).T)
        return mi.RayDifferential3f(mi.Point3f(*self.camera.origin), ways)

    def _shapes(self, ray: Any) -> tuple[NDArray[np.int64], Array]:
        found = self.scene.ray_intersect_preliminary(mi.Ray3f(ray))
        shape = dr.reinterpret_array(mi.UInt32, found.shape)
        dr.eval(found.t, shape)
        return np.array(shape), np.array(found.t, float)

    def _trace(
        self, pixels: Array, samples: int, seed: int, people: bool = False
    ) -> tuple[Array, Array]:
        """Colour, albedo and normal (n, 9) of pixels, and the share (n, 1) that people take.

        With ``people``, only what people add to these.
        """
        total, share = np.zeros((len(pixels), 9), np.float32), np.zeros((len(pixels), 1))
        for start in range(0, samples, 8):  # several short passes need less memory
            count = min(8, samples - start)
            self.sampler.seed(seed + start, count * len(pixels))
            jitter = np.array(self.sampler.next_2d()).T.reshape(count, -1, 2)
            ray = self._rays((pixels + jitter).reshape(-1, 2))
            light, _, extra = self.integrator.sample(self.scene, self.sampler, ray)
            dr.eval(light, extra)
            colour = np.nan_to_num(np.array(light), posinf=30).clip(0, 30)
            more = np.nan_to_num(np.array([np.array(v) for v in extra[-6:]]))
            shapes, _ = self._shapes(ray)
            more[3:, self.hairy[shapes]] = 0  # there the denoiser would keep the normals' noise
            values = np.concatenate([colour, more]).T.reshape(count, -1, 9)
            taken = (self.owner[shapes] >= 0).reshape(count, -1, 1)
            total += (values * taken if people else values).sum(0)
            share += taken.sum(0)
        return total / samples, share / samples


def _denoised(layers: Array) -> Array:
    return denoise(layers[..., :3], layers[..., 3:6], layers[..., 6:])


def _flat(values: Array) -> Any:
    return mi.Float(np.ascontiguousarray(values, dtype=np.float32).ravel())


def denoise(colour: Array, albedo: Array, normal: Array) -> Array:
    """Remove the remaining noise with Open Image Denoise, where it is installed."""
    if oidn is None:
        return colour
    height, width = colour.shape[:2]
    images = {k: np.ascontiguousarray(v, dtype=np.float32)
              for k, v in (("color", colour), ("albedo", albedo), ("normal", normal))}  # fmt: skip
    images["output"] = np.zeros_like(images["color"])
    device = oidn.NewDevice()
    oidn.CommitDevice(device)
    work = oidn.NewFilter(device, "RT")
    for key, data in images.items():
        oidn.SetSharedFilterImage(work, key, data, oidn.FORMAT_FLOAT3, width, height)
    _set_hdr(work)
    oidn.CommitFilter(work)
    oidn.ExecuteFilter(work)
    oidn.ReleaseFilter(work)
    oidn.ReleaseDevice(device)
    return images["output"]


def _set_hdr(work: int) -> None:
    """Tell the denoiser that values may exceed one (its binding lacks this call)."""
    folder = Path(oidn.__file__).parent / "lib.linux.x64"
    for path in folder.glob("libOpenImageDenoise.so*"):
        setter = ctypes.CDLL(str(path)).oidnSetFilter1b
        setter.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_bool]
        setter.restype = None
        setter(work, b"hdr", True)


def tone(linear: Array) -> NDArray[np.uint8]:
    """Linear light to sRGB with a soft shoulder."""
    knee = 0.72
    high = knee + (1 - knee) * (1 - np.exp(-(linear - knee) / (1 - knee)))
    value = np.where(linear > knee, high, linear).clip(0, 1)
    value = np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)
    return (value * 255 + 0.5).astype(np.uint8)
