"""A device with the OSS SDK it shipped with: oss2, unmodified.

Usage: device.py ENDPOINTS.json PREFIX. Uploads a small object, then one in three parts, from random bytes, and
prints what it sent, one JSON object a line: key, size, sha256.
"""

import hashlib
import json
import os
import sys

import oss2

PART = 5 * 1024 * 1024


def main(endpoints_file: str, prefix: str) -> None:
    with open(endpoints_file, encoding="utf-8") as file:
        endpoints = json.load(file)
    device = endpoints["device"]
    auth = oss2.Auth(device["access_key_id"], device["access_key_secret"])
    bucket = oss2.Bucket(auth, endpoints["edge"]["url"], device["bucket"], is_path_style=True)

    small = os.urandom(1000)
    key = prefix + "small object.bin"
    bucket.put_object(key, small, headers={"x-oss-meta-device": "demo"})
    report(key, small)

    parts = [os.urandom(PART), os.urandom(PART), os.urandom(PART // 3)]
    key = prefix + "three parts.bin"
    upload = bucket.init_multipart_upload(key).upload_id
    done = []
    for number, part in enumerate(parts, start=1):
        answer = bucket.upload_part(key, upload, number, part)
        done.append(oss2.models.PartInfo(number, answer.etag))
    bucket.complete_multipart_upload(key, upload, done)
    report(key, b"".join(parts))


def report(key: str, content: bytes) -> None:
    sent = {"key": key, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    print(json.dumps(sent), flush=True)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except oss2.exceptions.OssError as error:
        sys.exit(f"oss2: {error}")
