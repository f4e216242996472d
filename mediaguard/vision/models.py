"""Model files: where they are, and the proof that they are the ones that were measured."""

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from mediaguard.errors import ModelError
from mediaguard.resources import resource


@dataclass(frozen=True, slots=True)
class Model:
    """An entry of models/manifest.toml.

    Attributes:
        name: how the program asks for it.
        role: detector, embedder or landmarks.
        origin: bundled, package or drop-in.
        file: name of the file.
        source: the package and version that publishes it.
        licence: SPDX identifier.
        sha256: of the only content accepted, hexadecimal; for a drop-in perhaps only its beginning.
        package: the Python package that holds the file, for origin "package".
    """

    name: str
    role: str
    origin: str
    file: str
    source: str
    licence: str
    sha256: str
    package: str = ""

    @property
    def optional(self) -> bool:
        """Whether mediaguard does without it until the school adds it."""
        return self.origin == "drop-in"


@cache
def manifest() -> dict[str, Model]:
    """All models by name."""
    with resource("models", "manifest.toml").open("rb") as file:
        entries = tomllib.load(file)
    return {
        name: Model(
            name=name,
            role=entry["role"],
            origin=entry["from"],
            file=entry["file"],
            source=entry["source"],
            licence=entry["licence"],
            sha256=entry.get("sha256") or entry["sha256_prefix"],
            package=entry.get("package", ""),
        )
        for name, entry in entries.items()
    }


def find(model: Model, drop_ins: Path | None = None) -> Path | None:
    """Where the file should be and is; None if it is not there.

    Args:
        model: which.
        drop_ins: the folder with the files that the school added.
    """
    if model.origin == "package":
        spec = find_spec(model.package)
        if spec is None or spec.origin is None:
            return None
        path = Path(spec.origin).parent / "models" / model.file
    elif model.origin == "drop-in":
        if drop_ins is None:
            return None
        path = drop_ins / model.file
    else:
        path = resource("models", model.file)
    return path if path.is_file() else None


@cache
def verified(name: str, drop_ins: Path | None = None) -> Path:
    """The path of a model file whose content was checked, once per process.

    Raises:
        ModelError: it is missing, or not the file that was measured.
    """
    model = manifest()[name]
    path = find(model, drop_ins)
    if path is None:
        raise ModelError("model-file-missing", model=name, file=model.file, source=model.source)
    if not sha256(path).startswith(model.sha256):
        raise ModelError("model-file-wrong", model=name, path=path, source=model.source)
    return path


def sha256(path: Path) -> str:
    """Of the file's content, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
