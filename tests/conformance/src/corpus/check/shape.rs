//! The requests that an operation makes of the origin, by method and query names.

use oss_s3::operation::Operation;

/// The requests that an operation makes, its own first: method and query names.
pub(super) fn fits(operation: Operation, request: &[&str]) -> bool {
    match operation {
        Operation::PutObject | Operation::PostObject => request == ["PUT"],
        Operation::InitiateMultipartUpload => request == ["POST", "uploads"],
        Operation::UploadPart => request == ["PUT", "partNumber", "uploadId"],
        Operation::AbortMultipartUpload => request == ["DELETE", "uploadId"],
        Operation::ListParts => lists_parts(request),
        Operation::CompleteMultipartUpload => {
            request == ["POST", "uploadId"] || request == ["HEAD"] || lists_parts(request)
        }
        Operation::GetObject => reads("GET", request),
        Operation::HeadObject => reads("HEAD", request),
        Operation::CopyObject => request == ["PUT"],
        Operation::UploadPartCopy => request == ["PUT", "partNumber", "uploadId"],
        Operation::DeleteObject => request == ["DELETE"] || request == ["DELETE", "versionId"],
        Operation::ListObjects => lists(request, "max-keys", &["delimiter", "marker"], &[]),
        Operation::ListMultipartUploads => lists(
            request,
            "max-uploads",
            &["delimiter", "key-marker", "upload-id-marker"],
            &["uploads"],
        ),
        Operation::DeleteMultipleObjects => request == ["POST", "delete"],
        Operation::GetObjectTagging => of_sub_resource("GET", "tagging", request),
        Operation::PutObjectTagging => of_sub_resource("PUT", "tagging", request),
        Operation::DeleteObjectTagging => of_sub_resource("DELETE", "tagging", request),
        Operation::GetObjectAcl => of_sub_resource("GET", "acl", request) || looks(request),
        Operation::PutObjectAcl => of_sub_resource("PUT", "acl", request) || looks(request),
        Operation::RestoreObject => of_sub_resource("POST", "restore", request),
        Operation::HeadBucket | Operation::GetBucketInfo => request == ["HEAD"],
        Operation::PutBucket => request == ["PUT"],
        Operation::DeleteBucket => request == ["DELETE"],
        Operation::GetBucketTags => request == ["GET", "tagging"],
        Operation::PutBucketTags => request == ["PUT", "tagging"],
        Operation::DeleteBucketTags => request == ["DELETE", "tagging"],
        // Nobody is asked.
        _ => false,
    }
}

fn reads(method: &str, request: &[&str]) -> bool {
    let optional = [
        "partNumber",
        "response-cache-control",
        "response-content-disposition",
        "response-content-encoding",
        "response-content-language",
        "response-content-type",
        "response-expires",
        "versionId",
    ];
    match request {
        [first, names @ ..] => {
            *first == method && names.is_sorted() && names.iter().all(|name| optional.contains(name))
        }
        [] => false,
    }
}

fn of_sub_resource(method: &str, name: &str, request: &[&str]) -> bool {
    request == [method, name] || request == [method, name, "versionId"]
}

/// Whether this asks for no more than whether an object, or a version of it, is there.
fn looks(request: &[&str]) -> bool {
    request == ["HEAD"] || request == ["HEAD", "versionId"]
}

fn lists_parts(request: &[&str]) -> bool {
    let optional = ["max-parts", "part-number-marker"];
    match request {
        ["GET", between @ .., "uploadId"] => between.iter().all(|name| optional.contains(name)),
        _ => false,
    }
}

/// A list: always encoded, of a stated length, of what begins with the mount.
fn lists(request: &[&str], length: &str, optional: &[&str], last: &[&str]) -> bool {
    let Some(names) = request
        .strip_prefix(&["GET"])
        .and_then(|names| names.strip_suffix(last))
    else {
        return false;
    };
    let always = ["encoding-type", length, "prefix"];
    names.is_sorted()
        && always.iter().all(|name| names.contains(name))
        && names
            .iter()
            .all(|name| always.contains(name) || optional.contains(name))
}
