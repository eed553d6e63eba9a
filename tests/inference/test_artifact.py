import json

import pytest

from fer_web.errors import ModelArtifactError
from fer_web.inference.artifact import KERAS_FILE, LITERT_FILE, META_FILE, load_artifact, write_meta
from fer_web.labels import EMOTIONS, FERPLUS_VOTES
from tests.support.fakes.models import model_meta as meta


@pytest.fixture
def folder(tmp_path):
    (tmp_path / KERAS_FILE).write_bytes(b"keras")
    (tmp_path / LITERT_FILE).write_bytes(b"litert")
    return tmp_path


def test_write_meta_then_load_artifact_agree(folder):
    written = write_meta(folder, meta())
    assert load_artifact(folder) == written
    assert written.size_hw == (48, 48)
    assert len(written.model_hash) == 64


def test_load_artifact_logit_offsets_are_read_and_zeros_where_the_file_has_none(folder):
    assert write_meta(folder, meta()).logit_offsets == (0.0,) * 7
    offsets = [0.1, 0.7, 0.4, 0, -0.2, 0, 0]
    assert write_meta(folder, meta(logit_offsets=offsets)).logit_offsets == tuple(offsets)


def test_load_artifact_missing_folder_names_file_and_command(tmp_path):
    with pytest.raises(ModelArtifactError, match=r"nothing.meta\.json.*python -m train export"):
        load_artifact(tmp_path / "nothing")


@pytest.mark.parametrize("name", [KERAS_FILE, LITERT_FILE])
def test_load_artifact_altered_file_is_refused(folder, name):
    write_meta(folder, meta())
    (folder / name).write_bytes(b"something else")
    with pytest.raises(ModelArtifactError, match=f"{name}.*altered"):
        load_artifact(folder)


@pytest.mark.parametrize("name", [KERAS_FILE, LITERT_FILE])
def test_load_artifact_missing_file_is_named(folder, name):
    write_meta(folder, meta())
    (folder / name).unlink()
    with pytest.raises(ModelArtifactError, match=name):
        load_artifact(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": list(EMOTIONS)[::-1]},
        {"labels": None},
        {"ferplus_votes": list(FERPLUS_VOTES)[:8]},
        {"input": {"height": 48, "width": 48, "channels": 3}},
        {"input": {"height": 4, "width": 48, "channels": 1}},
        {"input": {}},
        {"outputs": {"original": "output_0"}},
        {"temperature": 0},
        {"temperature": "warm"},
        {"unsure_below": 1.5},
        {"max_doubt": None},
        {"logit_offsets": [0.1] * 6},
        {"logit_offsets": [0.1] * 6 + [float("nan")]},
        {"logit_offsets": [0.1] * 6 + [99]},
        {"logit_offsets": "zeros"},
        {"logit_offsets": 1},
    ],
)
def test_write_meta_bad_value_is_refused_with_one_line(folder, changes):
    with pytest.raises(ModelArtifactError) as error:
        write_meta(folder, meta(**changes))
    assert META_FILE in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}', json.dumps({"format": 1})])
def test_load_artifact_broken_meta_is_refused(folder, text):
    (folder / META_FILE).write_text(text)
    with pytest.raises(ModelArtifactError, match=META_FILE):
        load_artifact(folder)
