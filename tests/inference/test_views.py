import numpy as np

from fer_web.inference.views import AlternatingViews, mirror_crops, mirror_maps


def test_each_face_is_seen_both_ways_in_turn_and_first_as_it_is():
    views = AlternatingViews()
    assert views.next([1]).tolist() == [False]
    assert views.next([1, 2]).tolist() == [True, False]
    assert views.next([2, 1]).tolist() == [True, False]
    assert views.next([]).tolist() == []
    assert views.next([1]).tolist() == [False]


def test_mirrored_maps_lie_on_the_face_again_and_other_faces_stay():
    crops = np.arange(2 * 2 * 3, dtype=np.uint8).reshape(2, 2, 3, 1)
    is_mirrored = np.array([False, True])
    seen = mirror_crops(crops, is_mirrored)
    assert seen[0].tolist() == crops[0].tolist()
    assert seen[1, 0, :, 0].tolist() == [8, 7, 6]
    maps = np.moveaxis(crops, -1, 1).astype(np.float32)
    seen_maps = np.moveaxis(seen, -1, 1).astype(np.float32)
    np.testing.assert_array_equal(mirror_maps(seen_maps, is_mirrored), maps)
