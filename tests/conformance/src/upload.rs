//! Upload ids as the gateway tells them, for requests that are made here.

use oss_s3::answer::RequestId;
use oss_s3::operation::UploadId;
use oss_s3::upload::{Owner, SealKeys};

/// What upload ids are sealed under.
pub fn seals() -> SealKeys {
    SealKeys::new(core::iter::once(b"a-secret-for-the-ids-of-uploads".as_slice()))
}

/// What `owner` was told for the upload that the origin has under `id`; the id itself where there is no room for
/// a seal, or where it is none.
pub fn told(owner: Owner<'_>, id: &str) -> String {
    let sealed = UploadId::new(id.as_bytes()).and_then(|id| {
        let mark = RequestId::from_bytes([3; 12]);
        owner.seal(&seals(), &id, &mark)
    });
    sealed.map_or_else(|| id.to_owned(), |sealed| sealed.as_str().to_owned())
}
