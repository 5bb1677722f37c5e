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
  },
  HEAD: { "": "s3:GetObject" },
  PUT: { "": "s3:PutObject", acl: "s3:PutObjectAcl", tagging: "s3:PutObjectTagging", uploadId: "s3:PutObject" },
  POST: { restore: "s3:RestoreObject", uploads: "s3:PutObject", uploadId: "s3:PutObject" },
  DELETE: { "": "s3:DeleteObject", tagging: "s3:DeleteObjectTagging", uploadId: "s3:AbortMultipartUpload" },
};
/** What the same is called of a version of the object. */
const OF_VERSION = {
  "s3:DeleteObject": "s3:DeleteObjectVersion",
  "s3:DeleteObjectTagging": "s3:DeleteObjectVersionTagging",
  "s3:GetObject": "s3:GetObjectVersion",
  "s3:GetObjectAcl": "s3:GetObjectVersionAcl",
  "s3:GetObjectTagging": "s3:GetObjectVersionTagging",
  "s3:PutObjectAcl": "s3:PutObjectVersionAcl",
  "s3:PutObjectTagging": "s3:PutObjectVersionTagging",
  "s3:RestoreObject": "s3:RestoreObject",
};
const BUCKET = {
  GET: {
    "": "s3:ListBucket",
    location: "s3:GetBucketLocation",
    tagging: "s3:GetBucketTagging",
    uploads: "s3:ListBucketMultipartUploads",
  },
  HEAD: { "": "s3:ListBucket" },
  PUT: { "": "s3:CreateBucket", tagging: "s3:PutBucketTagging" },
  DELETE: { "": "s3:DeleteBucket", tagging: "s3:PutBucketTagging" },
  // Of every key in the body.
  POST: { delete: "s3:DeleteObject" },
};
/** Parameters that change nothing about the action. */
const PLAIN = new Set([
  "continuation-token",
  "delimiter",
  "encoding-type",
  "fetch-owner",
  "key-marker",
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
  "upload-id-marker",
]);
/** What S3 takes no notice of, but for its access log [Amazon S3 user guide, LogFormat]. */
const IGNORED = /^x-(?!amz-)/i;

/** Whether it deletes the objects that its body names. */
export function deletesMany(head, key) {
  return key === "" && head.method === "POST" && head.query.split("&").some((pair) => pair.split("=")[0] === "delete");
}

/**
 * The actions with their resources: `[{action, resource}]`, or undefined for an operation that the harness does not
 * know. `key` is the path behind the bucket, decoded, empty for the bucket itself; `named` are the keys that the body
 * has where [`deletesMany`] holds. S3 would delete those of them that it may and tell an error for each other one; who
 * asks for all of these actions is stricter.
 */
export function actionsOf(head, bucket, key, named = []) {
  const names = head.query === "" ? [] : head.query.split("&").map((pair) => decodeURIComponent(pair.split("=")[0]));
  const telling = names.filter((name) => !PLAIN.has(name) && !IGNORED.test(name));
  const operations = telling.filter((name) => name !== "versionId");
  if (operations.length > 1) return undefined;
  const plain = (key === "" ? BUCKET : OBJECT)[head.method]?.[operations[0] ?? ""];
  const action = operations.length < telling.length ? OF_VERSION[plain] : plain;
  if (action === undefined) return undefined;
  if (deletesMany(head, key)) return named.map((one) => ({ action, resource: `arn:aws:s3:::${bucket}/${one}` }));
  const resource = key === "" ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}/${key}`;
  const actions = [{ action, resource }];
  if (action === "s3:PutObject") {
    if (values(head.lines, "x-amz-tagging").length > 0) actions.push({ action: "s3:PutObjectTagging", resource });
    const grants = head.lines.some(({ name }) => /^x-amz-(acl|grant-.*)$/i.test(name));
    if (grants) actions.push({ action: "s3:PutObjectAcl", resource });
    const [source] = values(head.lines, "x-amz-copy-source");
    if (source !== undefined) {
      const [path, query = ""] = source.split("?");
      const read = query.startsWith("versionId=") ? "s3:GetObjectVersion" : "s3:GetObject";
      actions.push({ action: read, resource: `arn:aws:s3:::${decodeURIComponent(path).replace(/^\//, "")}` });
    }
  }
  return actions;
}
