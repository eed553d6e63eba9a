"""Rules of a queue of videos: how many there may be, who is next, and which are kept when they are done."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from fer_web.analysis.videos.video_job import NewVideo, VideoJob
from fer_web.errors import TooManyJobsError


@dataclass(frozen=True)
class JobLimits:
    """These limits say how many videos there may be, and for how long.

    Attributes:
        queued_of_owner, queued_of_client, queued: videos that wait or are on their way in, of one owner, of
            one client and of all.
        kept_of_owner, kept: videos that are done and still listed.
        kept_s: how long these are, in seconds.
        kept_bytes: of their files, all together; the oldest go first.
    """

    queued_of_owner: int = 4
    queued_of_client: int = 12
    queued: int = 24
    kept_of_owner: int = 20
    kept: int = 200
    kept_s: float = 24 * 3600.0
    kept_bytes: int = 5_000_000_000


def by_name(waiting: Counter[tuple[str, str]]) -> Counter[str]:
    """Videos of each "owner NAME" and "client KEY". Args: waiting: by owner and client."""
    names: Counter[str] = Counter()
    for (owner, client_key), count in waiting.items():
        names[f"owner {owner}"] += count
        names[f"client {client_key}"] += count
    return names


def check_quota(
    waiting: Counter[tuple[str, str]],
    owner: str,
    client_key: str,
    limits: JobLimits,
    elsewhere: Counter[str],
) -> None:
    """Check that one more video may come. Raises TooManyJobsError.

    Args:
        waiting: videos that wait or are on their way in, by owner and client.
        elsewhere: those of other servers, as `by_name` has them.
    """
    names = by_name(waiting) + elsewhere
    if names[f"owner {owner}"] >= limits.queued_of_owner:
        raise TooManyJobsError(
            f"You have {limits.queued_of_owner} videos waiting, more are not allowed. Wait until one is "
            "analysed, or cancel one."
        )
    if names[f"client {client_key}"] >= limits.queued_of_client:
        raise TooManyJobsError(
            f"{limits.queued_of_client} videos from your address are waiting, more are not allowed. Try "
            "again later."
        )
    # Each server works on its own videos.
    if waiting.total() >= limits.queued:
        raise TooManyJobsError(
            f"{limits.queued} videos are waiting here, more are not allowed. Try again later."
        )


def in_turn(waiting: list[VideoJob], served: Mapping[str, float]) -> list[VideoJob]:
    """Those that wait, in the order in which they will be begun if nothing else comes.

    Clients take turns, and so do the owners of each: next is the oldest video of who was served longest ago.

    Args: waiting: the oldest first. served: when each owner and client was served last; larger is later.
    """
    # A new cookie makes a new owner: their turns count within their client alone.
    by_owner = _in_turn(waiting, served, lambda new: new.owner)
    return _in_turn(by_owner, served, lambda new: new.client_key)


def _in_turn(
    jobs: list[VideoJob], served: Mapping[str, float], whose: Callable[[NewVideo], str]
) -> list[VideoJob]:
    rounds: Counter[str] = Counter()
    keys = {}
    for job in jobs:
        name = whose(job.new)
        keys[job.id] = rounds[name], served.get(name, 0)
        rounds[name] += 1
    return sorted(jobs, key=lambda job: keys[job.id])


def superfluous(jobs: Iterable[VideoJob], limits: JobLimits, now_s: float) -> list[VideoJob]:
    """Done, and older than allowed or past what is kept; counted from the newest.

    Args: now_s: by the clock of the jobs' times.
    """
    done = [job for job in jobs if job.ended_s is not None]
    done.sort(key=lambda job: job.ended_s or 0.0, reverse=True)
    of_owner: Counter[str] = Counter()
    gone, kept, size = [], 0, 0
    for job in done:
        owner, ended_s = job.new.owner, job.ended_s or 0.0
        is_over = now_s - ended_s > limits.kept_s or kept >= limits.kept
        is_too_large = kept > 0 and size + job.bytes_kept > limits.kept_bytes
        if is_over or is_too_large or of_owner[owner] >= limits.kept_of_owner:
            gone.append(job)
            continue
        of_owner[owner] += 1
        kept, size = kept + 1, size + job.bytes_kept
    return gone
