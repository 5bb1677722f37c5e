"""infra/cloudfront/verify.sh, which proves on an AWS account what the gateway rests on, against the local CloudFront.

So its requests are ones that a device may send, and what it expects is what the gateway does; whether AWS does its part
only an account can show.
"""

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "infra" / "cloudfront" / "verify.sh"


def test_every_fact_holds_at_the_local_cloudfront(servers, keys):
    gateway, origin = servers.gateway, servers.ready["origin"]
    grant = {"bucket": gateway.bucket, "operations": ["read-write"], "mount": "verify/{key_id}/"}
    credentials = keys.add(grants=[grant])
    command = [
        *(SCRIPT, "--url", f"http://{gateway.cname_host}:{gateway.port}", "--connect", f"127.0.0.1:{gateway.port}"),
        *("--bucket", gateway.bucket, "--mount", f"verify/{credentials.access_key_id}/"),
        *("--origin", f"s3://{origin['bucket']}", "--region", origin["region"], "--origin-endpoint", origin["url"]),
        *("--reads", "--changes"),
    ]
    environment = os.environ | {
        "CAUSEWAY_KEY_ID": credentials.access_key_id,
        "CAUSEWAY_KEY_SECRET": credentials.access_key_secret,
        "AWS_ACCESS_KEY_ID": origin["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": origin["secret_access_key"],
    }
    environment.pop("AWS_SESSION_TOKEN", None)
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "35 passed, 0 failed"
