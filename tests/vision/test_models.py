"""A model file that is not the measured one is never used."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from mediaguard import texts
from mediaguard.errors import ModelError
from mediaguard.vision import models, registry
from mediaguard.vision.models import Model, find, manifest, verified

ROLES = {"detector", "embedder", "landmarks"}


@pytest.fixture
def fresh():
    """Nothing verified yet in this process, before and after."""
    verified.cache_clear()
    yield
    verified.cache_clear()


@pytest.fixture
def one_model(monkeypatch, fresh):
    """Replace the manifest by a single model; returns a function to describe it."""

    def describe(origin, sha256, package=""):
        model = Model("m", "detector", origin, "m.bin", "somewhere 1.0", "MIT", sha256, package)
        monkeypatch.setattr(models, "manifest", lambda: {"m": model})
        return model

    return describe


def test_every_model_that_is_needed_is_here_and_is_the_measured_one(fresh):
    needed = [model for model in manifest().values() if not model.optional]
    assert {"centerface", "dlib-resnet", "dlib-landmarks-5"} <= {model.name for model in needed}
    for model in needed:
        assert verified(model.name).name == model.file


def test_the_manifest_is_complete():
    for model in manifest().values():
        assert model.role in ROLES
        assert model.origin in {"bundled", "package", "drop-in"}
        assert model.licence
        assert model.source
        assert bool(model.package) is (model.origin == "package")
        least = 8 if model.optional else 64
        assert re.fullmatch(rf"[0-9a-f]{{{least},64}}", model.sha256), model.name


def test_the_landmarks_that_may_not_be_used_commercially_are_not_named():
    assert not any("68" in model.file for model in manifest().values())


def test_what_is_bundled_has_its_licence_text():
    from mediaguard.resources import resource

    for model in manifest().values():
        if model.origin == "bundled":
            text = resource("models", "licences", f"{model.name}.txt").read_text()
            assert "Copyright" in text


def test_a_changed_byte_is_refused(tmp_path, one_model):
    good = b"weights" * 1000
    one_model("drop-in", hashlib.sha256(good).hexdigest())
    bad = bytearray(good)
    bad[3500] ^= 1
    (tmp_path / "m.bin").write_bytes(bad)
    with pytest.raises(ModelError) as error:
        verified("m", tmp_path)
    assert error.value.code == "model-file-wrong"
    # Put right, it is accepted without a restart: a refusal is not remembered.
    (tmp_path / "m.bin").write_bytes(good)
    assert verified("m", tmp_path) == tmp_path / "m.bin"


@pytest.mark.parametrize("content", [b"", b"\x00", b"weights" * 999])
def test_empty_and_truncated_files_are_refused(tmp_path, one_model, content):
    one_model("drop-in", hashlib.sha256(b"weights" * 1000).hexdigest())
    (tmp_path / "m.bin").write_bytes(content)
    with pytest.raises(ModelError):
        verified("m", tmp_path)


def test_a_drop_in_is_accepted_by_the_beginning_of_its_hash(tmp_path, one_model):
    content = b"a school downloaded this"
    one_model("drop-in", hashlib.sha256(content).hexdigest()[:8])
    (tmp_path / "m.bin").write_bytes(content)
    assert verified("m", tmp_path).read_bytes() == content


def test_a_folder_in_the_place_of_a_file_is_a_missing_model(tmp_path, one_model):
    one_model("drop-in", "0" * 64)
    (tmp_path / "m.bin").mkdir()
    with pytest.raises(ModelError) as error:
        verified("m", tmp_path)
    assert error.value.code == "model-file-missing"


@pytest.mark.parametrize("drop_ins", [None, Path("does-not-exist")])
def test_a_missing_drop_in_says_where_it_comes_from(one_model, drop_ins):
    one_model("drop-in", "0" * 64)
    with pytest.raises(ModelError) as error:
        verified("m", drop_ins)
    for language in ("en", "nl"):
        said = texts.explain(error.value, language)
        assert "m.bin" in said
        assert "somewhere 1.0" in said


def test_a_package_that_is_not_installed_is_a_missing_model(one_model):
    model = one_model("package", "0" * 64, package="no_such_package_of_weights")
    assert find(model) is None
    with pytest.raises(ModelError):
        verified("m")


def test_a_drop_in_cannot_replace_a_bundled_model(tmp_path, fresh):
    """What lies in the home's folder is never looked at for models that come with mediaguard."""
    (tmp_path / "centerface.onnx").write_bytes(b"not a network")
    assert verified("centerface", tmp_path).parent != tmp_path


def test_detectors_refuse_a_wrong_file(tmp_path, fresh):
    (tmp_path / manifest()["yunet"].file).write_bytes(b"not YuNet")
    with pytest.raises(ModelError) as error:
        registry.DETECTORS["yunet"](tmp_path)
    assert error.value.code == "model-file-wrong"


def test_a_detector_without_its_file_is_refused(tmp_path, fresh):
    with pytest.raises(ModelError) as error:
        registry.DETECTORS["yunet"](tmp_path)
    assert error.value.code == "model-file-missing"


def test_centerface_refuses_a_changed_weight(tmp_path, monkeypatch, fresh):
    target = tmp_path / "centerface.onnx"
    shutil.copyfile(verified("centerface"), target)
    with target.open("r+b") as file:
        file.seek(1000)
        file.write(b"\xff")
    verified.cache_clear()
    monkeypatch.setattr(models, "find", lambda model, drop_ins=None: target)
    with pytest.raises(ModelError):
        registry.DETECTORS["centerface"](tmp_path)


def test_every_name_of_the_configuration_builds_something(tmp_path):
    from typing import get_args

    from mediaguard.config import Detection, Matching

    assert set(get_args(Detection.model_fields["detector"].annotation)) == set(registry.DETECTORS)
    embedders = get_args(Matching.model_fields["embedder"].annotation)
    assert set(embedders) == set(registry.EMBEDDERS)
