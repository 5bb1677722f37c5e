//! What a part replaces that S3 has taken: the part of its number that waits in the folder of its upload.
//!
//! A part counts as the staged one for as long as that is there, so it has to go once S3 has another. Where the
//! platform runs the roles apart, the function behind S3's answer knows nothing but the request that went
//! to S3: the key there may be below a mount, and the passport is gone. So the request names the folder and
//! the virtual bucket in its query, in a parameter of which S3 takes no notice, as its name begins with `x-`
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html>). The passport of the request covers
//! it. From the name of a folder nothing can be read but which staged parts belong together, and no other key can be made
//! of it.

use oss_s3::addressing::VirtualBucket;
use oss_s3::complete::PartNumber;
use oss_s3::errand::Errand;
use oss_s3::error::{Fault, Refusal};
use oss_s3::operation::Operation;
use oss_s3::request::OriginRequest;
use oss_s3::staging::{Folder, NAME_BYTES};

use crate::config::Config;

/// The parameter: the name of the folder, a dot, and the virtual bucket, none of which needs an escape.
const FOLDER: &str = "x-causeway-folder=";

/// The query of the request for the origin that an errand makes, with the folder named where a part replaces
/// what may wait there.
pub fn naming_folder(errand: &Errand<'_>, query: String) -> String {
    let is_part = errand.call().operation() == Operation::UploadPart && !errand.is_staged();
    match errand.folder().filter(|_| is_part) {
        Some(folder) => {
            let bucket = errand.bucket().name.as_str();
            [&query, "&", FOLDER, folder.name(), ".", bucket].concat()
        }
        None => query,
    }
}

/// What deletes the staged part that a part replaces, and the bucket that it is of; `None` where the request
/// that went to this host, with this path and query, names no folder. `pays`: whether that request had the header
/// by which its device consents to pay.
pub fn deletion<'c>(
    config: &'c Config,
    host: &str,
    path: &str,
    query: &str,
    pays: bool,
) -> Option<(&'c VirtualBucket, OriginRequest)> {
    let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name));
    let number = PartNumber::from_decimal(parameter("partNumber=")?.as_bytes())?;
    let (folder, bucket) = parameter(FOLDER)?.split_at_checked(NAME_BYTES)?;
    let name = bucket.strip_prefix('.')?;
    let mut buckets = config.hosts.buckets().iter();
    let bucket = buckets.find(|bucket| bucket.name == name && bucket.origin.is_at(host, path))?;
    let folder = Folder::named(&bucket.staging.as_ref()?.prefix, folder)?;
    let request = OriginRequest::delete_staged(bucket, &folder.part(number), pays);
    Some((bucket, request))
}

/// What the device of a part is told that S3 has taken, where the one that it replaces is still there, and why that is: to
/// send it again. With both there, the older one would be taken for the part.
pub fn still_there(why: &str) -> Refusal {
    Refusal::new(Fault::OriginUnavailable).because(["a replaced part was not deleted: ", why].concat())
}
