//! What may be asked of the origin about the source of a copy: the one object that the copy itself would name to S3.

use oss_s3::request::{Authorized, OriginRequest};

use super::{ORIGIN_HEADERS_OF_COPIES, decoded};
use crate::upload::seals;

/// Whether a request reads, or looks at, nothing but the source of what is authorised.
///
/// # Errors
/// A sentence on what is wrong.
pub(super) fn read(request: &OriginRequest, authorized: &Authorized<'_>) -> Result<(), String> {
    let errand = authorized
        .errand(&seals())
        .map_err(|refusal| format!("{refusal:?}"))?;
    let mut headers = errand.headers().iter();
    let source = headers.find(|(name, _)| name == ORIGIN_HEADERS_OF_COPIES[0]);
    let source = source.and_then(|(_, source)| core::str::from_utf8(source).ok());
    let (path, version) = match source.unwrap_or_default().split_once('?') {
        Some((path, version)) => (path, version),
        None => (source.unwrap_or_default(), ""),
    };
    let authority = &authorized.bucket().origin.authority;
    let place = match request.host.strip_suffix(authority.as_str()) {
        Some("") => decoded(&request.path),
        Some(label) => decoded(&["/", label.trim_end_matches('.'), &request.path].concat()),
        None => None,
    };
    let is_its = place.is_some() && place == decoded(path) && request.query == version;
    if is_its && matches!(request.method, "HEAD" | "GET") {
        return Ok(());
    }
    let OriginRequest {
        method,
        host,
        path,
        query,
        ..
    } = request;
    Err(format!(
        "{method} {host} {path:?} {query:?} is not about the source {source:?}."
    ))
}
