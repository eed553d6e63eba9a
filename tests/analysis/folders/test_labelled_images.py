import pytest

from fer_web.analysis.folders.labelled_images import NAMES, find_labelled_images
from fer_web.errors import FolderError
from fer_web.labels import CONTEMPT, EMOTIONS


def make(root, *files):
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def test_names_are_of_the_seven_expressions_in_order_and_contempt():
    assert tuple(NAMES) == (*EMOTIONS, CONTEMPT)


@pytest.mark.parametrize(
    ("folder", "expression"),
    [
        ("angry", "angry"), ("Anger", "angry"), ("disgusted", "disgust"), ("FEAR", "fear"),
        ("fearful", "fear"), ("Happiness", "happy"), ("happy", "happy"), ("sadness", "sad"),
        ("surprised", "surprise"), ("Neutral", "neutral"), ("contempt", "contempt"),
    ],
)  # fmt: skip
def test_names_of_other_data_sets(tmp_path, folder, expression):
    (image,) = find_labelled_images(make(tmp_path, f"{folder}/a.png")).images
    assert image.expression == expression


def test_two_names_of_one_expression_and_folders_below_count_together(tmp_path):
    root = make(tmp_path, "happy/a.png", "Happiness/b.JPG", "happy/person 1/c.webp", "sad/d.png")
    found = find_labelled_images(root)
    assert [(image.expression, image.path.name) for image in found.images] == [
        ("happy", "b.JPG"),
        ("happy", "a.png"),
        ("happy", "c.webp"),
        ("sad", "d.png"),
    ]


def test_hidden_files_are_nothing_and_others_are_counted(tmp_path):
    root = make(tmp_path, "happy/a.png", "happy/.hidden.png", "happy/Thumbs.db", "happy/notes.txt", ".git/x")
    found = find_labelled_images(make(root, "labels.csv"))
    assert (len(found.images), found.skipped) == (1, 1)


def test_a_link_in_a_circle_is_not_followed(tmp_path):
    make(tmp_path, "happy/a.png")
    (tmp_path / "happy" / "again").symlink_to(tmp_path / "happy")
    assert len(find_labelled_images(tmp_path).images) == 1


@pytest.mark.parametrize(
    ("files", "text"),
    [
        (("joyful/a.png",), r"joyful names no expression; allowed, in any case: angry/anger.*contempt"),
        (("happy/a.png", "sadd/b.png"), "sadd names no expression"),
        (("train/happy/a.png", "test/happy/a.png"), r"Name one of them: .*test.*train"),
        (("0/a.png", "1/b.png"), "are numbers, which .* use differently"),
        (("a.png",), "has no folders"),
        (("happy/readme.txt",), "no image in its folders"),
    ],
)
def test_another_form_is_refused_with_what_to_do(tmp_path, files, text):
    with pytest.raises(FolderError, match=text):
        find_labelled_images(make(tmp_path, *files))


def test_what_is_no_folder_is_said(tmp_path):
    for name in ("missing", "file"):
        (tmp_path / "file").write_text("")
        with pytest.raises(FolderError, match="is no folder"):
            find_labelled_images(tmp_path / name)
