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

import mitsuba as mi
import numpy as np
from numpy.typing import NDArray
from people import Array, Figure, Part, Strands

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

    def project(self, points: Array) -> Array:
        """Pixel coordinates (n, 2) of world points."""
        origin = np.array(self.origin, float)
        forward = np.array(self.target, float) - origin
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0, 0, 1.0])
        right /= np.linalg.norm(right)
        up = np.cross(right, forward)
        rel = points - origin
        depth = rel @ forward
        focal = self.width / 2 / np.tan(np.radians(self.fov) / 2)
        return np.stack([self.width / 2 + focal * (rel @ right) / depth,
                         self.height / 2 - focal * (rel @ up) / depth], axis=1)  # fmt: skip


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


def _curves(strands: Strands, folder: Path, name: str) -> dict[str, Any]:
    count, steps, _ = strands.points.shape
    taper = np.interp(np.linspace(0, 1, steps), [0, 0.6, 1], [1, 0.9, 0.35]) * strands.radius
    rows = np.concatenate(
        [strands.points, np.broadcast_to(taper[None, :, None], (count, steps, 1))], axis=2
    )
    rows = np.concatenate([rows[:, :1], rows, rows[:, -1:]], axis=1)  # reach the end points
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
