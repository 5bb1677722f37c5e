//! What a grant asks besides bucket, operation and key: when, from where, and how much may be stored.
//!
//! A grant whose time or addresses do not fit is no grant for a request: the next one is looked at, and the
//! client is told no more than that there is none. The size of an object is known before it is stored or never,
//! so it chooses no grant: the grant that covers a request says how large an object may be.

use request_auth::{AddressRange, RequestHead, UnixSeconds};

use crate::document::{Field, Fields};
use crate::keys::RecordError;
use crate::keys::validity::Validity;

/// What the connection and the clock say of a request.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The gateway's time.
    pub now: UnixSeconds,
    /// The client's address as the platform gives it, never as a header of the client's does.
    pub peer: Option<&'a str>,
}

impl<'a> Circumstances<'a> {
    /// Those of a request that arrives now.
    pub fn of(head: &RequestHead<'a>, now: UnixSeconds) -> Self {
        let peer = head.connection().and_then(|connection| connection.peer);
        Self { now, peer }
    }
}

/// The conditions of a grant as JSON, among its fields.
pub struct ConditionsSource {
    /// When the grant begins to count, in seconds since 1970; always, where absent.
    pub not_before: Option<i64>,
    /// When it ceases to count; never, where absent. Both ends are included.
    pub not_after: Option<i64>,
    /// The addresses that it counts for, IPv4 or IPv6, each alone or as a range (`192.0.2.0/24`); any, where
    /// absent.
    pub source_ips: Option<Vec<String>>,
    /// The most bytes that an object which is stored under it may have; as many as S3 takes, where absent.
    pub max_object_bytes: Option<u64>,
}

impl ConditionsSource {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Self {
        Self {
            not_before: fields.take("not_before").optional(Field::whole),
            not_after: fields.take("not_after").optional(Field::whole),
            source_ips: fields.take("source_ips").or(None, |field| Some(field.strings())),
            max_object_bytes: fields.take("max_object_bytes").optional(Field::whole),
        }
    }
}

/// The conditions of a grant.
pub(super) struct Conditions {
    validity: Validity,
    source_ips: Option<Vec<AddressRange>>,
    pub(super) max_object_bytes: Option<u64>,
}

impl Conditions {
    /// Checks the conditions.
    ///
    /// # Errors
    /// A [`RecordError`] that names the field.
    pub(super) fn new(source: ConditionsSource) -> Result<Self, RecordError> {
        let fail = |what: &str| RecordError(["a grant's ", what].concat());
        let validity = Validity::new(source.not_before, source.not_after).map_err(fail)?;
        let read = |texts: Vec<String>| texts.iter().map(|text| AddressRange::parse(text)).collect();
        let source_ips: Option<Option<Vec<AddressRange>>> = source.source_ips.map(read);
        if source_ips
            .as_ref()
            .is_some_and(|ranges| ranges.as_ref().is_none_or(Vec::is_empty))
        {
            return Err(fail(
                "`source_ips` has to hold IPv4 or IPv6 addresses or ranges, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32; leave it out for any",
            ));
        }
        if source.max_object_bytes == Some(0) {
            return Err(fail("`max_object_bytes` is 0; leave it out for any size"));
        }
        Ok(Self {
            validity,
            source_ips: source_ips.flatten(),
            max_object_bytes: source.max_object_bytes,
        })
    }

    /// Why the grant does not count, as the end of what is logged; `None` where it does.
    pub(super) fn obstacle(&self, circumstances: Circumstances<'_>) -> Option<&'static str> {
        if !self.validity.holds(circumstances.now) {
            return Some(" One does not count at this time.");
        }
        let is_from_there = |ranges: &Vec<AddressRange>| {
            circumstances
                .peer
                .is_some_and(|peer| ranges.iter().any(|range| range.contains(peer)))
        };
        if !self.source_ips.as_ref().is_none_or(is_from_there) {
            return Some(" One is not for the client's address.");
        }
        None
    }
}

#[cfg(test)]
mod tests;
