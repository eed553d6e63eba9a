import pytest

from fer_web.analysis.names import clean_file_name, plain_file_name


@pytest.mark.parametrize(
    ("sent", "clean"),
    [
        ("clip.mp4", "clip.mp4"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ann\\clip.mp4", "clip.mp4"),
        ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
        ("clip\0.mp4", "clip.mp4"),
        ("gpj.\u202eclip", "gpj.clip"),
        ("\u3164clip\u2800.mp4", "clip.mp4"),
        ("❤\u200d\ufe0f\ufe0f.mp4", "❤.mp4"),
        ("half \ud800 pair.mp4", "half pair.mp4"),
        ("été à Zürich 🎬.mp4", "été à Zürich 🎬.mp4"),
        ("  spaces  ", "spaces"),
        ("..", ".."),
        ("folder/", ""),
        ("", ""),
        (None, ""),
        ("x" * 300, "x" * 200),
    ],
)
def test_names_are_made_harmless(sent, clean):
    assert clean_file_name(sent) == clean


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Clip 1.mp4", "Clip-1.csv"),
        ("été.mp4", "t.csv"),
        ('a"; filename="b.exe', "a-filename-b.csv"),
        ("🎬", "video.csv"),
        ("", "video.csv"),
        ("a" * 200, "a" * 80 + ".csv"),
    ],
)
def test_names_of_downloads_are_ascii(name, plain):
    assert plain_file_name(name, ".csv") == plain
