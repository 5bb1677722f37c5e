//! What of a vector its signature covers, as far as the vector says so itself.

use super::header;
use crate::mac::Scheme;
use crate::vector::{Request, Valid, Vector};

/// What of a verifying vector its signature covers.
pub(super) struct Signed<'v> {
    pub(super) scheme: Scheme,
    pub(super) is_presigned: bool,
    pub(super) vector: &'v Vector,
    pub(super) request: &'v Request,
    pub(super) path: &'v str,
    /// The raw `name=value` pieces of the query.
    pub(super) pieces: Vec<&'v str>,
    /// The last line of the string to sign: with V1 bucket, key and signed parameters.
    pub(super) resource: &'v str,
}

/// The parameters of presigned V2 and V4 URLs, which are signed but for the signature. Without one of
/// them there is another credential or none.
const OWN: [&str; 13] = [
    "x-oss-signature-version",
    "x-oss-access-key-id",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-expires",
    "x-oss-additional-headers",
    "x-oss-signature",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
];

impl<'v> Signed<'v> {
    pub(super) fn of(vector: &'v Vector) -> Option<Self> {
        let request = vector.request.as_ref()?;
        let (scheme, is_presigned) = Scheme::of(&vector.auth)?;
        if vector.expect.valid != Valid::Yes {
            return None;
        }
        let text = vector.expect.string_to_sign.as_deref()?;
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        Some(Self {
            scheme,
            is_presigned,
            vector,
            request,
            path,
            pieces: query.split('&').filter(|piece| !piece.is_empty()).collect(),
            resource: text.rsplit('\n').next()?,
        })
    }

    pub(super) fn target(&self, pieces: impl Iterator<Item = impl AsRef<str>>) -> String {
        let mut target = self.path.to_owned();
        for (index, piece) in pieces.enumerate() {
            target.push(if index == 0 { '?' } else { '&' });
            target.push_str(piece.as_ref());
        }
        target
    }

    /// The target with the piece at `index` replaced, or left out.
    pub(super) fn target_with(&self, index: usize, piece: Option<&str>) -> String {
        let pieces = self.pieces.iter().enumerate().filter_map(
            |(at, old)| {
                if at == index { piece } else { Some(*old) }
            },
        );
        self.target(pieces)
    }

    /// The positions, names and values of the signed parameters.
    pub(super) fn parameters(&self) -> Vec<(usize, &'v str, &'v str)> {
        let named = |name: &str| match self.scheme {
            Scheme::OssV1 => self.is_in_resource(name),
            Scheme::OssV2 | Scheme::OssV4 | Scheme::S3V4 => !self.is_presigned || !OWN.contains(&name),
        };
        self.pieces
            .iter()
            .enumerate()
            .map(|(index, piece)| {
                let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
                (index, name, value)
            })
            .filter(|(_, name, _)| named(name))
            .collect()
    }

    pub(super) fn is_in_resource(&self, name: &str) -> bool {
        self.resource.split(['?', '&']).skip(1).any(|part| {
            part.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    }

    /// Whether the signature covers a header, by its lower-case name, beside the dates.
    pub(super) fn covers(&self, name: &str) -> bool {
        let is_always = matches!(name, "content-type" | "content-md5") || name.starts_with("x-oss-");
        (is_always && self.scheme != Scheme::S3V4) || self.additional().iter().any(|listed| listed == name)
    }

    /// Whether the signature covers a date header.
    pub(super) fn covers_date(&self, name: &str) -> bool {
        match (self.scheme, name) {
            (Scheme::S3V4, _) => self.covers(name),
            (_, "x-oss-date") => true,
            (Scheme::OssV2, _) => !self.is_presigned,
            // Where both dates are sent, x-oss-date is a signed line and Date need not be signed.
            _ => !self.is_presigned && self.request.position("x-oss-date").is_none(),
        }
    }

    /// The headers that the credential lists: with S3 every signed one, else additional ones.
    pub(super) fn additional(&self) -> Vec<String> {
        let (parameter, field) = match self.scheme {
            Scheme::S3V4 => ("X-Amz-SignedHeaders", "SignedHeaders"),
            _ => ("x-oss-additional-headers", "AdditionalHeaders"),
        };
        let in_query = self.piece(parameter).and_then(|index| self.pieces.get(index));
        let list = match (in_query, self.request.position("authorization")) {
            (Some(piece), _) => piece.split_once('=').map(|(_, list)| list.replace("%3B", ";")),
            (None, Some(index)) => header(self.request, index)
                .split(field)
                .nth(1)
                .and_then(|rest| rest.get(1..)?.split(',').next())
                .map(str::to_owned),
            (None, None) => None,
        };
        let list = list.unwrap_or_default();
        list.split(';')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// The position of the query piece with this name.
    pub(super) fn piece(&self, name: &str) -> Option<usize> {
        self.pieces
            .iter()
            .position(|piece| piece.split('=').next() == Some(name))
    }
}
