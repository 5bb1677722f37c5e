//! Access keys of devices: the record that the platform's store holds, for one key, for a
//! [fleet](fleet) of them or for a [key pair](pair), and when its secrets count.
//!
//! A record that can't be read exactly is an error, never a key with defaults: a missing secret, an
//! unknown field or an unknown operation refuses the whole record. Well-known demo secrets and short
//! ones are refused as well.

use core::fmt;

use request_auth::derived::{DerivedKeyId, fleet_of_record};
use request_auth::{
    Denial, KeyMaterial, PublicKey, Scheme, SecretKey, SecurityToken, UnixSeconds, is_plain_key_id,
};

use crate::document::{Field, Fields, Holds, Mistake, Node};
use crate::policy::{Grant, GrantSource, READ_ONLY, UPLOAD_ONLY};

pub mod cache;
pub mod fleet;
mod pair;
pub mod shards;
pub(crate) mod validity;

use fleet::{Fleet, MIN_MASTER_BYTES};
use validity::Validity;

/// The shortest secret that a record may hold, in bytes.
pub const MIN_SECRET_BYTES: usize = 16;

/// Secrets that software ships with or documentation shows.
const WELL_KNOWN_SECRETS: [&str; 6] = [
    // The SECRET_KEY that Dify's deployments are documented with.
    "sk-9f73s3ljTXVcMT3Blb3ljTqtsKiGHXVcMT3BlbkFJLK7U",
    "minioadminminioadmin",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV",
    "YourAccessKeySecret",
    "yourAccessKeySecret",
];

/// A key record as JSON. The id, grants, and secrets, masters or a public key are needed; the rest has defaults.
pub struct KeyRecordSource {
    /// The access key id, or `d1.{fleet}` for a fleet; has to be the name that it is stored under.
    pub id: String,
    /// Whether it may be used.
    pub status: KeyStatus,
    /// The schemes that it may be used with; by default OSS V1, of a key pair CloudFront's.
    pub schemes: Vec<String>,
    /// One secret, or two during a rotation; none in the record of a fleet.
    pub secrets: Vec<SecretSource>,
    /// The master secrets of a fleet in the same way, and in its record alone.
    pub masters: Vec<SecretSource>,
    /// The devices of the fleet whose keys are revoked.
    pub revoked: Vec<String>,
    /// The public key of a key pair as PEM, in the place of secrets.
    pub public_key: Option<String>,
    /// The session token that requests have to carry.
    pub security_token: Option<String>,
    /// What it may do; nothing without a grant.
    pub grants: Vec<GrantSource>,
}

/// A secret and the time in which it counts, both ends included, in seconds since 1970.
pub struct SecretSource {
    /// The secret as text.
    pub secret: String,
    /// When it begins to count; always, where absent.
    pub not_before: Option<i64>,
    /// When it ceases to count; never, where absent.
    pub not_after: Option<i64>,
}

/// Whether a key may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum KeyStatus {
    /// It may.
    #[default]
    Active,
    /// It may not; requests are answered as if it did not exist.
    Disabled,
}

impl KeyRecordSource {
    /// Reads a record's tree. The rest is for [`KeyRecord::new`] to judge.
    ///
    /// # Errors
    /// A document of another shape: the sentence names the path of the key, and no other word of it.
    pub fn read(document: Node<'_>) -> Result<Self, Mistake> {
        let status = |field: Field<'_, '_>| {
            field.choice(&[("active", KeyStatus::Active), ("disabled", KeyStatus::Disabled)])
        };
        let secrets = |field: Field<'_, '_>| field.list(|secret| secret.table(SecretSource::read));
        document.read(Holds::Secrets, |document| {
            document.table(|fields| {
                let public_key = fields.take("public_key").optional(Field::string);
                let (scheme, operations) = match public_key {
                    Some(_) => (Scheme::CloudFront, READ_ONLY),
                    None => (Scheme::OssV1, UPLOAD_ONLY),
                };
                let grant =
                    |grant: Field<'_, '_>| grant.table(|fields| GrantSource::read(fields, operations));
                Self {
                    id: fields.take("id").string(),
                    status: fields.take("status").or(KeyStatus::default(), status),
                    schemes: fields
                        .take("schemes")
                        .or(vec![scheme.name().to_owned()], Field::strings),
                    secrets: fields.take("secrets").or(Vec::new(), secrets),
                    masters: fields.take("masters").or(Vec::new(), secrets),
                    revoked: fields.take("revoked").or(Vec::new(), Field::strings),
                    public_key,
                    security_token: fields.take("security_token").optional(Field::string),
                    grants: fields.take("grants").list(grant),
                }
            })
        })
    }
}

impl SecretSource {
    fn read(fields: &mut Fields<'_, '_>) -> Self {
        Self {
            secret: fields.take("secret").string(),
            not_before: fields.take("not_before").optional(Field::whole),
            not_after: fields.take("not_after").optional(Field::whole),
        }
    }
}

/// Why a record can't be used, as one sentence for the operator's log. Holds no secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordError(pub(crate) String);

impl RecordError {
    fn of(id: &str, mistake: &Mistake) -> Self {
        Self(format!("key record `{id}`: {mistake}"))
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

struct KeySecret {
    secret: SecretKey,
    validity: Validity,
}

impl KeySecret {
    /// Reads a secret of at least `least` bytes.
    fn new(source: SecretSource, least: usize) -> Result<Self, &'static str> {
        if source.secret.len() < least || WELL_KNOWN_SECRETS.contains(&source.secret.as_str()) {
            return Err(if least == MIN_MASTER_BYTES {
                "a `secret` of `masters` is shorter than 32 characters or a well-known example; generate one"
            } else {
                "`secret` is shorter than 16 characters or a well-known example; generate one"
            });
        }
        Ok(Self {
            validity: Validity::new(source.not_before, source.not_after)?,
            secret: SecretKey::new(source.secret).ok_or("`secret` is empty")?,
        })
    }
}

/// A key record that was read whole.
pub struct KeyRecord {
    id: String,
    status: KeyStatus,
    schemes: Vec<Scheme>,
    /// Of a fleet, its masters.
    secrets: Vec<KeySecret>,
    public_key: Option<PublicKey>,
    security_token: Option<SecurityToken>,
    grants: Vec<Grant>,
    fleet: Option<Fleet>,
}

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("id", &self.id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl KeyRecord {
    /// Reads the JSON that the store holds under `id`.
    ///
    /// # Errors
    /// A [`RecordError`] for JSON of another shape, an id that is not `id`, no or more than two
    /// secrets, weak secrets, unknown schemes, or a grant that does not parse.
    pub fn from_json(id: &str, json: &str) -> Result<Self, RecordError> {
        let source = Node::from_json(json)
            .and_then(KeyRecordSource::read)
            .map_err(|mistake| RecordError::of(id, &mistake))?;
        Self::new(id, source)
    }

    /// Checks a record that was already parsed; see [`KeyRecord::from_json`].
    ///
    /// # Errors
    /// As [`KeyRecord::from_json`].
    pub fn new(id: &str, source: KeyRecordSource) -> Result<Self, RecordError> {
        let fail = |what: &str| RecordError(format!("key record `{id}`: {what}"));
        let is_fleet = fleet_of_record(id).is_some();
        if source.id != id || !(is_fleet || is_plain_key_id(id)) {
            return Err(fail(
                "`id` has to be the name that the record is stored under and match [A-Za-z0-9_-][A-Za-z0-9._-]{0,127}; what begins with `d1.` is kept for fleets, `d1.{fleet}`",
            ));
        }
        let schemes: Vec<Scheme> = source
            .schemes
            .iter()
            .map(|name| Scheme::ALL.into_iter().find(|scheme| scheme.name() == name))
            .collect::<Option<_>>()
            .ok_or_else(|| {
                let known = Scheme::ALL.map(Scheme::name).join(", ");
                fail(&["`schemes` holds a name that is no scheme; known: ", &known].concat())
            })?;
        let public_key = pair::public_key(&source, &schemes).map_err(fail)?;
        let fleet = if is_fleet {
            if public_key.is_some() || !source.secrets.is_empty() || source.security_token.is_some() {
                return Err(fail(
                    "`d1.{fleet}` is the record of a fleet, which has `masters`, no `secrets`, `public_key` and `security_token`",
                ));
            }
            Some(Fleet::new(source.revoked).map_err(fail)?)
        } else {
            if !source.masters.is_empty() || !source.revoked.is_empty() {
                return Err(fail(
                    "`masters` and `revoked` are for the record of a fleet, whose id is `d1.{fleet}`",
                ));
            }
            None
        };
        let (sources, least) = match fleet {
            Some(_) => (source.masters, MIN_MASTER_BYTES),
            None => (source.secrets, MIN_SECRET_BYTES),
        };
        if (sources.is_empty() && public_key.is_none()) || sources.len() > 2 {
            return Err(fail(if is_fleet {
                "`masters` has to hold one master, or two during a rotation"
            } else {
                "`secrets` has to hold one secret, or two during a rotation; a record without has a `public_key`"
            }));
        }
        let secrets = sources
            .into_iter()
            .map(|source| KeySecret::new(source, least).map_err(fail))
            .collect::<Result<_, _>>()?;
        let security_token = match source.security_token {
            Some(token) => Some(
                SecurityToken::new(token).ok_or_else(|| fail("`security_token` is empty; leave it out"))?,
            ),
            None => None,
        };
        let grants = source
            .grants
            .into_iter()
            .map(|source| Grant::new(source, id).map_err(|error| fail(&error.0)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            id: source.id,
            status: source.status,
            schemes,
            secrets,
            public_key,
            security_token,
            grants,
            fleet,
        })
    }

    /// The id that the record is stored under: the access key id, or `d1.{fleet}`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the key may do.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// The key `key_id` as it is at `now`: this record's own, or that of a device of its fleet.
    ///
    /// # Errors
    /// [`Denial::UnknownKey`] for any other id, and for a device that is revoked.
    pub fn key<'r>(&'r self, key_id: &'r str, now: UnixSeconds) -> Result<Key<'r>, Denial> {
        let counts = |secret: &&KeySecret| self.status == KeyStatus::Active && secret.validity.holds(now);
        let secrets = self.secrets.iter().filter(counts).map(|secret| &secret.secret);
        let mut key = Key {
            id: key_id,
            record: self,
            listed: Vec::new(),
            derived: Vec::new(),
        };
        match &self.fleet {
            None if key_id == self.id => key.listed = secrets.collect(),
            None => return Err(Denial::UnknownKey),
            Some(fleet) => {
                let id = DerivedKeyId::parse(key_id)
                    .filter(|id| id.record_id() == self.id && !fleet.is_revoked(id.device()))
                    .ok_or(Denial::UnknownKey)?;
                key.derived = secrets.filter_map(|master| id.secret(master)).collect();
            }
        }
        Ok(key)
    }
}

/// One access key at one time.
pub struct Key<'r> {
    id: &'r str,
    record: &'r KeyRecord,
    /// The record's own secrets that count.
    listed: Vec<&'r SecretKey>,
    /// Those of a device, one of each master that counts.
    derived: Vec<SecretKey>,
}

impl Key<'_> {
    /// What verifying needs: no secret at all where the record is disabled or its windows are closed.
    pub fn material(&self) -> KeyMaterial<'_> {
        KeyMaterial {
            key_id: self.id,
            secrets: self.listed.iter().copied().chain(&self.derived).collect(),
            public_key: self
                .record
                .public_key
                .as_ref()
                .filter(|_| self.record.status == KeyStatus::Active),
            security_token: self.record.security_token.as_ref(),
            schemes: &self.record.schemes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123";

    fn record(fields: &str) -> Result<KeyRecord, RecordError> {
        KeyRecord::from_json(
            "AK",
            &format!(r#"{{"id":"AK","grants":[{{"bucket":"devices"}}],{fields}}}"#),
        )
    }

    #[test]
    fn a_minimal_record_is_active_for_oss_v1() {
        let record = record(&format!(r#""secrets":[{{"secret":"{SECRET}"}}]"#)).unwrap();
        let key = record.key("AK", UnixSeconds(0)).unwrap();
        let material = key.material();
        assert_eq!(
            (material.key_id, material.secrets.len(), material.schemes),
            ("AK", 1, [Scheme::OssV1].as_slice())
        );
    }

    #[test]
    fn a_record_lists_its_schemes_by_their_names() {
        let names = Scheme::WITH_SECRETS
            .map(|scheme| format!("\"{}\"", scheme.name()))
            .join(",");
        let record = record(&format!(
            r#""secrets":[{{"secret":"{SECRET}"}}],"schemes":[{names}]"#
        ))
        .unwrap();
        let key = record.key("AK", UnixSeconds(0)).unwrap();
        assert_eq!(key.material().schemes, Scheme::WITH_SECRETS);
    }

    #[test]
    fn k01_secrets_count_inside_their_windows_only() {
        let record = record(&format!(
            r#""secrets":[{{"secret":"{SECRET}","not_after":200}},{{"secret":"{SECRET}x","not_before":100}}]"#
        ))
        .unwrap();
        for (now, count) in [(99, 1), (100, 2), (200, 2), (201, 1)] {
            let key = record.key("AK", UnixSeconds(now)).unwrap();
            assert_eq!(key.material().secrets.len(), count, "{now}");
        }
    }

    #[test]
    fn a_disabled_key_has_no_secret() {
        let record = record(&format!(
            r#""status":"disabled","secrets":[{{"secret":"{SECRET}"}}]"#
        ))
        .unwrap();
        let key = record.key("AK", UnixSeconds(0)).unwrap();
        assert!(key.material().secrets.is_empty());
        assert!(matches!(
            record.key("ak", UnixSeconds(0)),
            Err(Denial::UnknownKey)
        ));
    }

    #[test]
    fn d13_k05_records_that_are_not_whole_are_refused_without_showing_a_secret() {
        for fields in [
            r#""secrets":[]"#,
            r#""secrets":[{"secret":""}]"#,
            r#""secrets":[{"secret":"minioadmin"}]"#,
            r#""secrets":[{"secret":"minioadminminioadmin"}]"#,
            r#""secrets":[{"secret":"0123456789abcdef0123"}],"security_token":"""#,
            r#""secrets":[{"secret":"0123456789abcdef0123"}],"schemes":["oss-v9"]"#,
            r#""secrets":[{"secret":"0123456789abcdef0123"}],"stauts":"active""#,
            r#""secrets":[{"secret":"0123456789abcdef0123"}],"status":"on""#,
            r#""secrets":[{"secret":"0123456789abcdef0123","not_before":2,"not_after":1}]"#,
            r#""secrets":[{"secret":"0123456789abcdef0123"},{"secret":"0123456789abcdef0124"},{"secret":"0123456789abcdef0125"}]"#,
            r#""secrets":"0123456789abcdef0123""#,
        ] {
            let error = record(fields).unwrap_err();
            assert!(
                error.0.contains("`AK`") && !error.0.contains(SECRET),
                "{fields}: {error}"
            );
        }
        assert!(KeyRecord::from_json("AK", "").is_err());
        assert!(KeyRecord::from_json("AK", "null").is_err());
        let other = format!(r#"{{"id":"ak","secrets":[{{"secret":"{SECRET}"}}],"grants":[]}}"#);
        assert!(
            KeyRecord::from_json("AK", &other).is_err(),
            "k07: another case is another key"
        );
    }
}
