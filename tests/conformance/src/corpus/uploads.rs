//! What clients were told of uploads, so that damaged requests about uploads reach the origin as well.

use oss_s3::upload::Owner;
use request_auth::canon::{Slash, percent_decode, percent_encode};

use super::mutate::Arrived;
use crate::upload::told;
use crate::vector::Vector;

/// The virtual bucket of every grant.
const BUCKET: &str = "examplebucket";

/// Takes the upload id in a target, or the one behind which a list begins, for the origin's, and puts what the
/// client was told for it and its key in its place. A target that can't be read stays as it is.
pub(super) fn tell(arrived: &mut Arrived, base: &Vector) {
    if let Some(target) = with_told(&arrived.target, base) {
        arrived.target = target;
    }
}

fn with_told(target: &[u8], base: &Vector) -> Option<Vec<u8>> {
    let target = core::str::from_utf8(target).ok()?;
    let (path, query) = target.split_once('?')?;
    let path = path.strip_prefix('/')?;
    let marker = query.split('&').find_map(|pair| pair.strip_prefix("key-marker="));
    let (name, key) = match marker {
        Some(key) => ("upload-id-marker=", key),
        None => ("uploadId=", path),
    };
    let key = base
        .config
        .bucket()
        .filter(|_| marker.is_none())
        .and_then(|bucket| key.strip_prefix(bucket)?.strip_prefix('/'))
        .unwrap_or(key);
    let key = String::from_utf8(percent_decode(key.as_bytes())?).ok()?;
    let owner = Owner {
        bucket: BUCKET,
        key: &key,
        key_id: &base.credentials.access_key_id,
    };
    let pairs = query.split('&').map(|pair| {
        let id = pair
            .strip_prefix(name)
            .and_then(|id| String::from_utf8(percent_decode(id.as_bytes())?).ok());
        let Some(id) = id else {
            return pair.to_owned();
        };
        let mut pair = name.to_owned();
        percent_encode(told(owner, &id).as_bytes(), Slash::Encode, &mut pair);
        pair
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    Some(["/", path, "?", &query].concat().into_bytes())
}
