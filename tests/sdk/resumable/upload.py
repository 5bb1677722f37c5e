"""A device's own process: uploads a file with oss2, resumes what an earlier one wrote down, and prints how far it is.

    upload.py '{"url", "bucket", "key_id", "secret", "key", "file", "store", "part_size"?, "threads"?}'
"""

import json
import sys

import oss2

run = json.loads(sys.argv[1])
bucket = oss2.Bucket(oss2.Auth(run["key_id"], run["secret"]), run["url"], run["bucket"])
options = {"part_size": run["part_size"], "multipart_threshold": run["part_size"]} if "part_size" in run else {}
result = oss2.resumable_upload(
    bucket,
    run["key"],
    run["file"],
    store=oss2.ResumableStore(root=run["store"]),
    num_threads=run.get("threads"),
    progress_callback=lambda done, total: print(f"progress {done / total}", flush=True),
    **options,
)
print(f"etag {result.etag}", flush=True)
