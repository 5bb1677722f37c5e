// Which IAM actions a request to S3 needs.
// Source: Service Authorization Reference of Amazon S3, and the API reference's "Permissions" of each operation.

import { values } from "./wire.mjs";

/** Query parameters that say which operation it is, by method, for an object. */
const OBJECT = {
  GET: {
    "": "s3:GetObject",
    acl: "s3:GetObjectAcl",
    tagging: "s3:GetObjectTagging",
    uploadId: "s3:ListMultipartUploadParts",
    versionId: "s3:GetObjectVersion",
  },
  HEAD: { "": "s3:GetObject", versionId: "s3:GetObjectVersion" },
  PUT: { "": "s3:PutObject", acl: "s3:PutObjectAcl", tagging: "s3:PutObjectTagging", uploadId: "s3:PutObject" },
  POST: { uploads: "s3:PutObject", uploadId: "s3:PutObject" },
  DELETE: { "": "s3:DeleteObject", tagging: "s3:DeleteObjectTagging", uploadId: "s3:AbortMultipartUpload" },
};
const BUCKET = {
  GET: { "": "s3:ListBucket", location: "s3:GetBucketLocation", uploads: "s3:ListBucketMultipartUploads" },
  HEAD: { "": "s3:ListBucket" },
};
/** Parameters that change nothing about the action. */
const PLAIN = new Set([
  "continuation-token",
  "delimiter",
  "encoding-type",
  "fetch-owner",
  "list-type",
  "marker",
  "max-keys",
  "max-parts",
  "max-uploads",
  "part-number-marker",
  "partNumber",
  "prefix",
  "response-cache-control",
  "response-content-disposition",
  "response-content-encoding",
  "response-content-language",
  "response-content-type",
  "response-expires",
  "start-after",
  "x-id",
]);

/**
 * The actions with their resources: `[{action, resource}]`, or undefined for an operation that the harness does not
 * know. `key` is the path behind the bucket, decoded, empty for the bucket itself.
 */
export function actionsOf(head, bucket, key) {
  const names = head.query === "" ? [] : head.query.split("&").map((pair) => decodeURIComponent(pair.split("=")[0]));
  const telling = names.filter((name) => !PLAIN.has(name));
  if (telling.length > 1) return undefined;
  const action = (key === "" ? BUCKET : OBJECT)[head.method]?.[telling[0] ?? ""];
  if (action === undefined) return undefined;
  const resource = key === "" ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}/${key}`;
  const actions = [{ action, resource }];
  if (action === "s3:PutObject") {
    if (values(head.lines, "x-amz-tagging").length > 0) actions.push({ action: "s3:PutObjectTagging", resource });
    const grants = head.lines.some(({ name }) => /^x-amz-(acl|grant-.*)$/i.test(name));
    if (grants) actions.push({ action: "s3:PutObjectAcl", resource });
    const [source] = values(head.lines, "x-amz-copy-source");
    if (source !== undefined) {
      const path = decodeURIComponent(source.split("?")[0]).replace(/^\//, "");
      actions.push({ action: "s3:GetObject", resource: `arn:aws:s3:::${path}` });
    }
  }
  return actions;
}
