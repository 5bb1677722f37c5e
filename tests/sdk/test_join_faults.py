"""A Complete that joins parts fails, or is killed, at each request that it makes of the origin: the device repeats it, and
the object is the same."""

import threading

import pytest

from devices import Oss2Device
from fault_proxy import Fault
from staged import KIB, MIB, SMALLEST, bytes_of, repeated

# Two stretches, the first one joined part, the second the last one. No part is joined before Complete, however late the
# gateway looks for those beside it: 600 KiB are one of nine, and the 4 MiB and what is beside them are less than S3 takes.
SIZES = [600 * KIB, 600 * KIB, 4 * MIB, 70 * KIB, 30 * KIB]
# A Complete of these asks for more than that: a list of the folder, one of the parts, a source for each staged part and a
# part for each stretch, the Complete itself, a list and a deletion.
FEWEST_REQUESTS = 10
MOST_REQUESTS = 40


@pytest.fixture
def device(strict):
    return Oss2Device(strict.endpoint("virtual-host"), strict.lister)


class Upload:
    """An upload whose parts are sent, and what it has to become."""

    def __init__(self, strict, key: str, sizes: list[int] = SIZES, seed: int = 6) -> None:
        self.strict, self.key, self.parts = strict, key, bytes_of(*sizes, seed=seed)
        self.id = self.device.initiate(key, {"x-oss-meta-serial": "A-0017"})
        self.etags = [self.device.upload_part(key, self.id, *part) for part in enumerate(self.parts, 1)]
        strict.settle()

    @property
    def device(self) -> Oss2Device:
        """A device that knows where the gateway is now, and has no connection."""
        return Oss2Device(self.strict.endpoint("virtual-host"), self.strict.lister)

    def complete(self) -> str:
        return self.device.complete(self.key, self.id, self.etags)

    def ended(self, etag: str) -> None:
        stored = self.strict.witnessed.ended_as(self.key, self.parts, etag)
        assert stored.metadata["serial"] == "A-0017"


def test_the_complete_that_is_disturbed_below_joins_two_stretches(strict, key):
    upload = Upload(strict, key)
    with strict.proxy.watching() as seen:
        upload.ended(upload.complete())
    joined = [request for request in seen if request.method == "PUT" and "partNumber=" in request.query]
    assert sorted(request.body_length for request in joined) == [sum(SIZES[3:]), sum(SIZES[:3])]
    assert FEWEST_REQUESTS <= len(seen) <= MOST_REQUESTS


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_a_complete_that_fails_at_any_request_of_the_origin_ends_in_the_same_object(strict, key, fault):
    number, struck = 0, True
    while struck:
        number += 1
        assert number <= MOST_REQUESTS
        upload = Upload(strict, f"{key}-{number}", seed=number)
        with strict.proxy.failing(number, fault) as event:
            try:
                etag = upload.complete()
            except upload.device.errors as error:
                told = upload.device.refusal(error)
                assert told.status >= 500, (number, told)
                etag = None
            else:
                # Whatever was answered 200 is there already.
                assert strict.witnessed.origin.object(upload.key).headers["etag"].strip('"') == etag
            strict.settle()
            struck = event.is_set()
        again = repeated(upload.complete, upload.device)
        assert etag in (None, again)
        upload.ended(again)
    assert number > FEWEST_REQUESTS


def killed(strict, number: int, device: Oss2Device, request) -> bool:
    """Has the device do this, and kills the gateway at its `number`-th request of the origin; whether it made so many."""
    done = threading.Event()

    def ask() -> None:
        try:
            request()
        except device.errors:
            pass
        finally:
            done.set()

    asking = threading.Thread(target=ask)
    with strict.proxy.holding(number) as event:
        asking.start()
        while not (event.wait(0.05) or done.is_set()):
            pass
        struck = event.is_set()
        strict.kill()
    asking.join()
    strict.start()
    return struck


def test_a_gateway_that_is_killed_at_any_request_of_a_complete_leaves_what_the_next_one_ends(strict, key):
    number, struck = 0, True
    while struck:
        number += 1
        assert number <= MOST_REQUESTS
        upload = Upload(strict, f"{key}-{number}", seed=number)
        struck = killed(strict, number, upload.device, upload.complete)
        upload.ended(repeated(upload.complete, upload.device))
    assert number > FEWEST_REQUESTS


def test_a_gateway_that_is_killed_at_any_request_of_an_abort_leaves_what_the_next_one_removes(strict, key):
    number, struck = 0, True
    while struck:
        number += 1
        assert number <= MOST_REQUESTS
        upload = Upload(strict, f"{key}-{number}", [MIB, 100])
        device = upload.device
        struck = killed(strict, number, device, lambda: device.abort(upload.key, upload.id))
        attempt(upload)
        strict.witnessed.left_nothing(upload.key)
    assert number > 3


def test_a_gateway_that_is_killed_again_and_again_comes_to_the_end(strict, key):
    upload = Upload(strict, key)
    for number in (9, 7, 5, 3):
        device = threading.Thread(target=lambda: pytest.raises(upload.device.errors, upload.complete))
        with strict.proxy.holding(number) as event:
            device.start()
            event.wait(10)
            strict.kill()
        device.join()
        strict.start()
    upload.ended(repeated(upload.complete, upload.device))


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
def test_an_abort_that_fails_at_any_request_of_the_origin_is_repeated(strict, key, fault):
    number, struck = 0, True
    while struck:
        number += 1
        upload = Upload(strict, f"{key}-{number}", [MIB, MIB, 100])
        with strict.proxy.failing(number, fault) as event:
            attempt(upload)
            strict.settle()
            struck = event.is_set()
        # What can't be deleted is told in the log, and the device, whose upload is gone, of success.
        attempt(upload)
        strict.witnessed.left_nothing(upload.key)
        assert number <= MOST_REQUESTS
    assert number > 3


def attempt(upload: Upload) -> None:
    """Aborts it, which may fail, or have been done before."""
    try:
        upload.device.abort(upload.key, upload.id)
    except upload.device.errors as error:
        told = upload.device.refusal(error)
        assert told.status >= 500 or told.code == "NoSuchUpload", told


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name.lower())
@pytest.mark.parametrize("sizes", [(100, 200), (100, SMALLEST), (SMALLEST, 100)], ids=["small", "larger", "smaller"])
def test_a_part_that_fails_while_it_replaces_another_is_sent_again(strict, key, fault, sizes):
    old, new = bytes_of(*sizes)
    number, struck = 0, True
    while struck:
        number += 1
        device, name = Oss2Device(strict.endpoint("virtual-host"), strict.lister), f"{key}-{number}"
        upload_id = device.initiate(name)
        device.upload_part(name, upload_id, 1, old)
        with strict.proxy.failing(number, fault) as event:
            try:
                device.upload_part(name, upload_id, 1, new)
            except device.errors:
                pass
            strict.settle()
            struck = event.is_set()
        etag = device.upload_part(name, upload_id, 1, new)
        assert [part[2] for part in device.list_parts(name, upload_id)] == [len(new)]
        strict.witnessed.ended_as(name, [new], device.complete(name, upload_id, [etag]))
    # The last one was not disturbed. Behind a part that S3 takes, the one that is staged is deleted.
    assert number - 1 >= (2 if len(new) >= SMALLEST else 1)
