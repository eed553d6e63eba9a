"""Public data sets by their names and lists, as they are unpacked; the pictures here are only names."""

import numpy as np
import pytest

from fer_web.analysis.folders.labelled_images import find_labelled_images
from fer_web.data_sets.codes import LAYOUTS
from fer_web.errors import FolderError
from fer_web.labels import CONTEMPT, EMOTIONS
from tests.support.documents import read


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def found(root, layout=None):
    """Name of each picture and its expression, and what was detected."""
    folder = find_labelled_images(root, layout)
    return {image.path.name: image.expression for image in folder.images}, folder


def test_kdef_by_its_codes(tmp_path):
    codes = {"AF": "fear", "AN": "angry", "DI": "disgust", "HA": "happy", "NE": "neutral", "SA": "sad"}
    codes |= {"SU": "surprise"}
    for code, angle in zip(codes, ("S", "HL", "HR", "FL", "FR", "S", "S"), strict=True):
        make(tmp_path, f"KDEF/AF01/AF01{code}{angle}.JPG")
    names, folder = found(tmp_path)
    assert names == {
        f"AF01{code}{angle}.JPG": expression
        for (code, expression), angle in zip(
            codes.items(), ("S", "HL", "HR", "FL", "FR", "S", "S"), strict=True
        )
    }
    assert folder.detected == "KDEF, by codes in file names"


def test_jaffe_by_its_codes(tmp_path):
    make(tmp_path, "KA.AN1.39.tiff", "KA.DI2.43.tiff", "KL.FE3.176.tiff", "KL.NE1.155.tiff", "README")
    names, folder = found(tmp_path)
    assert list(names.values()) == ["angry", "disgust", "fear", "neutral"]
    assert folder.detected.startswith("JAFFE")


def test_ck_plus_by_its_texts_takes_last_frames_and_neutral_first_ones(tmp_path):
    make(tmp_path, *(f"cohn-kanade-images/S005/001/S005_001_0000000{number}.png" for number in (1, 2, 3)))
    make(tmp_path, *(f"cohn-kanade-images/S010/002/S010_002_0000000{number}.png" for number in (1, 2)))
    make(tmp_path, *(f"cohn-kanade-images/S011/001/S011_001_0000000{number}.png" for number in (1, 2)))
    for name, number in (("S005_001_00000003", 3), ("S010_002_00000002", 2)):
        path = tmp_path / "Emotion" / name[:4] / name[5:8] / f"{name}_emotion.txt"
        path.parent.mkdir(parents=True)
        path.write_text(f"   {number}.0000000e+00\n")
    names, folder = found(tmp_path)
    assert names == {
        "S005_001_00000003.png": "disgust",
        "S005_001_00000001.png": "neutral",
        "S010_002_00000002.png": CONTEMPT,
        "S010_002_00000001.png": "neutral",
    }
    assert folder.detected.startswith("CK+")


def test_ck_plus_by_numbers_of_folders(tmp_path):
    make(tmp_path, "1/S005_001_00000011.png", "2/S010_002_00000012.png", "7/S011_001_00000013.png")
    assert list(found(tmp_path)[0].values()) == ["angry", "surprise", CONTEMPT]


def test_raf_db_by_its_list_takes_aligned_pictures_once(tmp_path):
    make(tmp_path, "Image/aligned/train_00001_aligned.jpg", "Image/aligned/test_0002_aligned.jpg")
    make(tmp_path, "Image/original/train_00001.jpg", "Image/original/test_0002.jpg")
    (tmp_path / "EmoLabel").mkdir()
    (tmp_path / "EmoLabel" / "list_patition_label.txt").write_text("train_00001.jpg 5\ntest_0002.jpg 1\n")
    names, folder = found(tmp_path)
    assert names == {"train_00001_aligned.jpg": "sad", "test_0002_aligned.jpg": "surprise"}
    assert "2 are copies before alignment" in folder.detected


def test_raf_db_by_numbers_of_folders(tmp_path):
    make(tmp_path, *(f"DATASET/test/{number}/test_000{number}_aligned.jpg" for number in range(1, 8)))
    names, folder = found(tmp_path)
    expected = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
    assert names == {f"test_000{number + 1}_aligned.jpg": name for number, name in enumerate(expected)}
    assert folder.detected == "RAF-DB, by numbers of folders"


def test_affect_net_by_arrays_leaves_out_what_is_no_expression(tmp_path):
    make(tmp_path, *(f"val_set/images/{number}.jpg" for number in range(10)))
    (tmp_path / "val_set" / "annotations").mkdir()
    for number, label in enumerate((0, 1, 2, 3, 4, 5, 6, 7, 8, 10)):
        values = np.array(str(label)) if number % 2 else np.array([label])
        np.save(tmp_path / "val_set" / "annotations" / f"{number}_exp.npy", values)
        np.save(tmp_path / "val_set" / "annotations" / f"{number}_val.npy", np.array(0.5))
    names, folder = found(tmp_path)
    expected = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", CONTEMPT)
    assert names == {f"{number}.jpg": name for number, name in enumerate(expected)}
    assert (folder.unlabelled, folder.detected) == (2, "AffectNet, by lists of labels")


def test_an_array_with_code_is_not_run(tmp_path):
    class Code:
        def __reduce__(self):
            return (open, (str(tmp_path / "was-here"), "w"))

    make(tmp_path, "images/0.jpg")
    (tmp_path / "annotations").mkdir()
    np.save(tmp_path / "annotations" / "0_exp.npy", np.array([Code()], object), allow_pickle=True)
    with pytest.raises(FolderError):
        find_labelled_images(tmp_path, "affectnet")
    assert not (tmp_path / "was-here").exists()


def test_affect_net_by_its_csv(tmp_path):
    hashes = [f"{number:056x}" for number in range(4)]
    make(tmp_path, *(f"Manually_Annotated_Images/{number}/{each}.jpg" for number, each in enumerate(hashes)))
    labels = dict(zip(hashes, (1, 6, 7, 9), strict=True))
    rows = [f"{number}/{each}.jpg,0,0,10,10,,{labels[each]}" for number, each in enumerate(hashes)]
    head = "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression"
    (tmp_path / "training.csv").write_text("\n".join([head, *rows]))
    names, folder = found(tmp_path)
    assert sorted(names.values()) == ["angry", CONTEMPT, "happy"]
    assert folder.unlabelled == 1


@pytest.mark.parametrize("has_head", [True, False])
def test_fer_plus_by_votes_takes_clear_majorities(tmp_path, has_head):
    votes = {
        "fer0000000": [4, 0, 0, 1, 3, 2, 0, 0, 0, 0],
        "fer0000001": [0, 0, 0, 0, 0, 0, 0, 9, 1, 0],
        "fer0000002": [5, 5, 0, 0, 0, 0, 0, 0, 0, 0],
        "fer0000003": [0, 0, 0, 0, 0, 0, 0, 0, 0, 10],
        "fer0000004": [0, 0, 0, 0, 8, 2, 0, 0, 0, 0],
    }
    make(tmp_path, *(f"FER2013Train/{name}.png" for name in votes))
    if has_head:
        head = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
        rows = [f"Training,{name}.png,{','.join(map(str, each))}" for name, each in votes.items()]
        (tmp_path / "fer2013new.csv").write_text("\n".join([head, *rows]))
    else:
        rows = [f'{name}.png,"(0, 0, 48, 48)",{",".join(map(str, each))}' for name, each in votes.items()]
        (tmp_path / "FER2013Train" / "label.csv").write_text("\n".join(rows))
    names, folder = found(tmp_path)
    assert names == {"fer0000000.png": "neutral", "fer0000001.png": CONTEMPT, "fer0000004.png": "angry"}
    assert (folder.unlabelled, folder.detected) == (2, "FER+, by lists of labels")


def test_fer_plus_by_numbers_of_folders(tmp_path):
    make(tmp_path, "0/fer0000000.png", "4/fer0000001.png", "7/fer0000002.png")
    assert list(found(tmp_path)[0].values()) == ["angry", "neutral", CONTEMPT]


def test_numbers_that_could_be_of_several_are_told_and_not_guessed(tmp_path):
    make(tmp_path, *(f"{number}/image{number}.jpg" for number in range(8)))
    with pytest.raises(FolderError, match=r"AffectNet.*FER\+.*--layout .*affectnet"):
        find_labelled_images(tmp_path)
    names, folder = found(tmp_path, "affectnet")
    assert names["image3.jpg"] == "surprise"
    assert found(tmp_path, "ferplus")[0]["image3.jpg"] == "sad"
    assert found(tmp_path, "ckplus")[0]["image3.jpg"] == "disgust"
    assert "AffectNet" in folder.detected
    numbers, folder = found(tmp_path, "fer2013")
    assert [numbers[f"image{number}.jpg"] for number in range(7)] == list(EMOTIONS)
    assert folder.unlabelled == 1


def test_names_of_two_data_sets_are_told(tmp_path):
    make(tmp_path, "3/train_0001.jpg")
    (tmp_path / "training.csv").write_text("image,expression\ntrain_0001.jpg,3\n")
    with pytest.raises(
        FolderError, match=r"RAF-DB and AffectNet. Say which: --layout rafdb or --layout affectnet"
    ):
        find_labelled_images(tmp_path)


def test_a_layout_that_does_not_fit_is_told(tmp_path):
    make(tmp_path, "a.jpg", "b.jpg")
    with pytest.raises(FolderError, match="None of the 2 pictures has a label as KDEF"):
        find_labelled_images(tmp_path, "kdef")


def test_folders_that_name_expressions_stay_what_they_are(tmp_path):
    make(tmp_path, "happy/AF01ANS.JPG", "sad/AF01HAS.JPG")
    names, folder = found(tmp_path)
    assert (names["AF01ANS.JPG"], folder.detected) == ("happy", "")
    assert found(tmp_path, "kdef")[0]["AF01ANS.JPG"] == "angry"


def test_every_layout_is_documented():
    text = read("docs/files.md")
    assert all(f"`{name}`" in text for name in LAYOUTS)
