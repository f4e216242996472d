"""dlib's face recognition network on OpenVINO: the same weights, several times as fast.

dlib's own runtime needs 78 ms for a vector and gains nothing from a second core. The network is
small (29 convolutions), its layout is published (dlib, examples/dnn_face_recognition_ex.cpp),
and its weights lie in the file as plain tensors. A test compares the vectors with dlib's own.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mediaguard.errors import ModelError

SIDE = 150
"""Of the aligned face that the network takes, in pixels."""

_BLOCKS = (
    *((32, 1),) * 3,
    *((64, 2), (64, 1), (64, 1), (64, 1)),
    *((128, 2), (128, 1), (128, 1)),
    *((256, 2), (256, 1), (256, 1)),
    (256, 2),
)
"""Filters and stride of each residual block, from the input on: `anet_type` read from its end."""

_TENSORS = 2 * (1 + 2 * len(_BLOCKS)) + 1  # weights and scale of each convolution; the last layer
_MEAN = (122.782, 117.001, 104.298)  # of red, green and blue: dlib's `input_rgb_image_sized`


class FaceNetwork:
    """The network for a fixed number of faces at once.

    Args:
        path: dlib_face_recognition_resnet_model_v1.dat, whose hash was checked.
        batch: how many faces.

    Raises:
        ModelError: the file does not hold the network.
    """

    def __init__(self, path: Path, batch: int) -> None:
        self._network = _compiled(path, batch)

    def vectors(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Of aligned faces.

        Args:
            chips: shape (batch, 150, 150, 3), RGB.

        Returns:
            Shape (batch, 128).
        """
        pixels = (chips.astype(np.float32) - np.array(_MEAN, np.float32)) / 256
        result = self._network.create_infer_request().infer(
            np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
        )
        return np.array(result[0], np.float32)


@lru_cache(maxsize=2)
def _compiled(path: Path, batch: int) -> Any:
    import openvino
    from openvino import opset13 as ops

    tensors = _tensors(path.read_bytes())
    if len(tensors) != _TENSORS:
        raise ModelError("model-file-wrong", model="dlib-resnet", path=path, source="dlib")
    remaining = iter(tensors)
    image = ops.parameter([batch, 3, SIDE, SIDE], np.float32)
    layer = ops.relu(_convolution(ops, image, remaining, filters=32, size=7, stride=2))
    layer = _pool(ops, layer, "max", 3)
    for filters, stride in _BLOCKS:
        layer = _residual(ops, layer, remaining, filters, stride)
    layer = ops.reduce_mean(layer, np.array([2, 3]), keep_dims=False)
    weights = next(remaining)
    vectors = ops.matmul(layer, ops.constant(weights.reshape(-1, 128)), False, False)
    model = openvino.Model([vectors], [image], "dlib-resnet")
    # 32-bit floats: distances are compared with thresholds in hundredths.
    return openvino.Core().compile_model(
        model, "CPU", {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    )


def _residual(
    ops: Any, layer: Any, tensors: Iterator[NDArray[np.float32]], filters: int, stride: int
) -> Any:
    """Dlib's `residual` (stride 1) and `residual_down` (stride 2)."""
    block = ops.relu(_convolution(ops, layer, tensors, filters=filters, size=3, stride=stride))
    block = _convolution(ops, block, tensors, filters=filters, size=3, stride=1)
    skipped = layer if stride == 1 else _pool(ops, layer, "average", 2)
    # `add_prev` fills the smaller of two tensors with zeros at its end, in every dimension.
    shapes = [_shape(part) for part in (block, skipped)]
    shape = np.max(shapes, axis=0)
    parts = [
        ops.pad(
            part, np.zeros(4, np.int64), (shape - np.array(own)).astype(np.int64), "constant", 0.0
        )
        for part, own in zip((block, skipped), shapes, strict=True)
    ]
    return ops.relu(ops.add(*parts))


def _convolution(
    ops: Any,
    layer: Any,
    tensors: Iterator[NDArray[np.float32]],
    *,
    filters: int,
    size: int,
    stride: int,
) -> Any:
    """A convolution with its bias, and the affine layer behind it."""
    channels = _shape(layer)[1]
    weights, scale = next(tensors), next(tensors)
    kernel = weights[:-filters].reshape(filters, channels, size, size)
    gamma, beta = scale[:filters], scale[filters:]
    # dlib pads a convolution only if its stride is 1.
    pad = [size // 2] * 2 if stride == 1 else [0, 0]
    out = ops.convolution(
        layer,
        ops.constant(kernel * gamma.reshape(-1, 1, 1, 1)),
        [stride, stride],
        pad,
        pad,
        [1, 1],
    )
    bias = weights[-filters:] * gamma + beta
    return ops.add(out, ops.constant(bias.reshape(1, -1, 1, 1)))


def _shape(layer: Any) -> tuple[int, ...]:
    """Of an operation's only output, or of one output of several."""
    output = layer if hasattr(layer, "get_shape") else layer.output(0)
    return tuple(output.get_shape())


def _pool(ops: Any, layer: Any, kind: str, size: int) -> Any:
    """Pooling with stride 2 and without padding; what does not fill a window is left out."""
    if kind == "max":
        return ops.max_pool(layer, [2, 2], [1, 1], [0, 0], [0, 0], [size, size], "floor").output(0)
    return ops.avg_pool(layer, [2, 2], [0, 0], [0, 0], [size, size], True, "floor")


def _tensors(data: bytes) -> list[NDArray[np.float32]]:
    """The tensors of dlib's file in their order, flat.

    dlib writes a tensor as its version (2), four dimensions, and little-endian floats; a whole
    number as a byte that tells how many bytes follow, and these. What lies between, the other
    settings of the layers, is skipped.
    """
    found, position = [], 0
    while (position := data.find(b"\x01\x02", position)) >= 0:
        start, count = _header(data, position + 2)
        if count >= 16 and start + 4 * count <= len(data):
            values = np.frombuffer(data, "<f4", count, start)
            if np.isfinite(values).all() and 1e-6 < np.abs(values).max() < 100:
                found.append(values)
                position = start + 4 * count
                continue
        position += 1
    return found


def _header(data: bytes, position: int) -> tuple[int, int]:
    """Where the floats start, and how many there are; 0 if these are not four dimensions."""
    count = 1
    for _ in range(4):
        length = data[position] if position < len(data) else 0
        if not 1 <= length <= 4:
            return position, 0
        count *= int.from_bytes(data[position + 1 : position + 1 + length], "little")
        position += 1 + length
    return position, count
