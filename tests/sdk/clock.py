"""A device whose clock is wrong."""

import datetime
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def clock_shifted_by(seconds: float) -> Iterator[None]:
    """Shifts the time that this process's standard library tells, and with it what an SDK signs."""
    true_time, true_datetime = time.time, datetime.datetime

    class ShiftedDatetime(true_datetime):
        @classmethod
        def now(cls, tz=None):
            return true_datetime.now(tz) + datetime.timedelta(seconds=seconds)

        @classmethod
        def utcnow(cls):
            return true_datetime.utcnow() + datetime.timedelta(seconds=seconds)

    time.time = lambda: true_time() + seconds
    datetime.datetime = ShiftedDatetime
    try:
        yield
    finally:
        time.time, datetime.datetime = true_time, true_datetime
