"""The AWS CLI with its default settings: `aws s3 cp`, small and in parts."""

import hashlib
import os

import pytest

from s3_devices import AwsCli


@pytest.fixture(params=[False, True], ids=["http", "https"])
def aws(request, s3_gateway, tmp_path):
    return AwsCli(s3_gateway.endpoint("path", tls=request.param), s3_gateway.credentials, tmp_path, dict(os.environ))


@pytest.mark.parametrize("size", [0, 1000, 20 << 20])
def test_cp_stores_a_file(aws, origin, key, tmp_path, size):
    file = tmp_path / "recording.bin"
    file.write_bytes(bytes(size // 2) + os.urandom(size - size // 2))
    done = aws.run("s3", "cp", str(file), f"s3://{aws.bucket}/{key}")
    assert done.returncode == 0, done.stderr
    assert origin.object(key).sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_cp_says_in_s3s_words_why_it_was_refused(aws, key, tmp_path, origin_untouched):
    done = aws.run("s3", "cp", f"s3://{aws.bucket}/{key}", str(tmp_path / "copy"))
    assert done.returncode == 1
    assert "(403) when calling the HeadObject operation: Forbidden" in done.stderr
