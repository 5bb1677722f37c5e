// A device's own process: uploads a file with ali-oss, resumes what an earlier one wrote down, and prints how far it is.
// upload.cjs '{"url", "bucket", "key_id", "secret", "key", "file", "store", "part_size"?, "threads"?}'
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const OSS = require('ali-oss');

const run = JSON.parse(process.argv[2]);
const written = path.join(run.store, 'checkpoint.json');
const client = new OSS({ endpoint: run.url, bucket: run.bucket, accessKeyId: run.key_id, accessKeySecret: run.secret });

const options = {
  partSize: run.part_size,
  parallel: run.threads,
  checkpoint: fs.existsSync(written) ? JSON.parse(fs.readFileSync(written)) : undefined,
  progress: (done, checkpoint) => {
    // Whole or not at all: the process may end at any time.
    fs.writeFileSync(`${written}.tmp`, JSON.stringify(checkpoint));
    fs.renameSync(`${written}.tmp`, written);
    console.log(`progress ${done}`);
  },
};
client.multipartUpload(run.key, run.file, options).then(
  ({ etag }) => console.log(`etag ${etag}`),
  error => {
    console.error(error);
    process.exitCode = 1;
  },
);
