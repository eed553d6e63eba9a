from fer_web.rate_limit import TokenBucket


def test_take_allows_a_burst_then_the_rate():
    now = [0.0]
    bucket = TokenBucket(10, lambda: now[0])
    assert [bucket.take() for _ in range(21)] == [True] * 20 + [False]
    now[0] = 0.1
    assert [bucket.take(), bucket.take()] == [True, False]


def test_take_at_the_rate_never_runs_out():
    now = [0.0]
    bucket = TokenBucket(30, lambda: now[0])
    for frame in range(3000):
        now[0] = frame / 30
        assert bucket.take()
