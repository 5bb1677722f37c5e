//! Host and path to bucket: which resources a request can be about.
//!
//! An OSS client signs a bucket name that is not always in the URL, so one host and path can stand
//! for several resources; the signature decides between them. The rule: the host is looked up
//! exactly, then without its first label as a virtual-host parent. Each style that the found entry
//! allows gives candidates; a name that is not configured gives none, and an unknown host and an
//! unknown bucket both give no candidate, so they cannot be told from a wrong signature.
//!
//! A client that signs no bucket at all is a candidate only where the host allows it, and never when
//! its path starts with the name of a configured bucket: a signature for bucket `b` and key `k` is
//! also one for "no bucket" and key `b/k`.

use request_auth::{Resource, UnixSeconds};

/// What becomes of public ACLs that a device asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AclRule {
    /// They are refused; `private` and `default` are left out.
    Private,
    /// They are passed on.
    Pass,
}

/// The S3 storage class that OSS's Archive becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArchiveClass {
    /// `GLACIER`.
    Glacier,
    /// `GLACIER_IR`.
    GlacierInstantRetrieval,
}

/// What becomes of Cache-Control and its like on writes where the signature does not cover them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnsignedHeaders {
    /// They are stored with the object.
    Store,
    /// They are left out.
    Drop,
    /// The request is refused.
    Refuse,
}

/// Where the bucket's name stands in the origin's URLs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OriginAddressing {
    /// Before the host.
    VirtualHost,
    /// In the path.
    Path,
}

/// The S3 bucket behind a virtual bucket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OriginBucket {
    /// Its name.
    pub bucket: String,
    /// Its region.
    pub region: String,
    /// `https`, or `http` for a local origin.
    pub scheme: String,
    /// Host, with its port unless that is the scheme's own.
    pub authority: String,
    /// Where the bucket's name stands.
    pub addressing: OriginAddressing,
}

impl OriginBucket {
    /// The Host of requests to it.
    pub fn host(&self) -> String {
        match self.addressing {
            OriginAddressing::VirtualHost => [self.bucket.as_str(), ".", &self.authority].concat(),
            OriginAddressing::Path => self.authority.clone(),
        }
    }

    /// Whether this can be told to copy from the other: they are one place, or both AWS's.
    pub fn copies_from(&self, other: &Self) -> bool {
        let both = |end: &str| self.authority.ends_with(end) && other.authority.ends_with(end);
        self.scheme == other.scheme
            && (self.authority == other.authority || both(".amazonaws.com") || both(".amazonaws.com.cn"))
    }

    /// Whether a request to this host with this path is one to this bucket.
    pub fn is_at(&self, host: &str, path: &str) -> bool {
        self.key_at(host, path).is_some()
    }

    /// The key, percent-encoded, that a request to this host with this path is about; `None` of one to another
    /// bucket.
    fn key_at<'p>(&self, host: &str, path: &'p str) -> Option<&'p str> {
        let path = path.strip_prefix('/')?;
        let key = match self.addressing {
            OriginAddressing::VirtualHost => path,
            OriginAddressing::Path => path.strip_prefix(self.bucket.as_str())?.strip_prefix('/')?,
        };
        (self.host() == host).then_some(key)
    }
}

/// Where parts that are too small for S3 wait until their upload is completed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Staging {
    /// The S3 bucket, where the origin's is: the same scheme, authority, region and addressing.
    pub bucket: String,
    /// What the keys of staged objects begin with: it begins with [`RESERVED_PREFIX`](crate::key::RESERVED_PREFIX),
    /// has neither empty nor dot segments, and ends in `/`.
    pub prefix: String,
}

/// A bucket as devices know it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VirtualBucket {
    /// The name that devices sign.
    pub name: String,
    /// Other names that they may sign for it.
    pub aliases: Vec<String>,
    /// What becomes of public ACLs.
    pub acl: AclRule,
    /// What Archive becomes.
    pub archive: ArchiveClass,
    /// What becomes of unsigned headers on writes, unless a grant says otherwise.
    pub unsigned_headers: UnsignedHeaders,
    /// How many tags an object may have.
    pub max_tags: u16,
    /// How many bytes of user metadata an object may have; see
    /// [`metadata`](crate::headers::metadata::DEFAULT_MAX_BYTES).
    pub max_metadata_bytes: u16,
    /// How many bytes a body may have that comes without a length.
    pub max_unsized_bytes: u64,
    /// OSS key ids, and the AWS KMS key ARN of each.
    pub kms_keys: Vec<(String, String)>,
    /// When clients are told that it was made.
    pub created: UnixSeconds,
    /// Where OSS clients' parts below S3's minimum wait; they are refused where there is no place.
    pub staging: Option<Staging>,
    /// The S3 bucket.
    pub origin: OriginBucket,
}

impl VirtualBucket {
    /// Whether a request to this host with this path is about a part that waits for its upload.
    pub fn stages_at(&self, host: &str, path: &str) -> bool {
        self.staging.as_ref().is_some_and(|staging| {
            let place = OriginBucket {
                bucket: staging.bucket.clone(),
                ..self.origin.clone()
            };
            let key = place.key_at(host, path);
            key.is_some_and(|key| key.starts_with(&staging.prefix))
        })
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        core::iter::once(self.name.as_str()).chain(self.aliases.iter().map(String::as_str))
    }
}

/// How a host names buckets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HostStyle {
    /// `/bucket/key`.
    Path,
    /// `bucket.host`: one label more than the host.
    VirtualHost,
    /// The host stands for one bucket.
    Cname {
        /// The bucket's name.
        bucket: String,
        /// Whether clients that sign no bucket name are accepted.
        unsigned_bucket: bool,
    },
}

/// The hosts and buckets of a configuration.
#[derive(Debug)]
pub struct Hosts {
    buckets: Vec<VirtualBucket>,
    hosts: Vec<(String, Vec<HostStyle>)>,
}

impl Hosts {
    /// Takes the buckets; no host is known yet. Names and aliases have to be distinct.
    pub fn new(buckets: Vec<VirtualBucket>) -> Self {
        Self {
            buckets,
            hosts: Vec::new(),
        }
    }

    /// Adds a host, lower case and without a port. `false` where it is known already.
    #[must_use]
    pub fn add(&mut self, host: &str, styles: Vec<HostStyle>) -> bool {
        let is_new = self.styles(host).is_none();
        if is_new {
            self.hosts.push((host.to_owned(), styles));
        }
        is_new
    }

    fn styles(&self, host: &str) -> Option<&[HostStyle]> {
        let found = self.hosts.iter().find(|(name, _)| name == host);
        found.map(|(_, styles)| styles.as_slice())
    }

    /// Whether a host is known by this very name.
    pub fn has_host(&self, host: &str) -> bool {
        self.styles(host).is_some()
    }

    /// Whether a bucket has this name (an alias does not count).
    pub fn has_bucket(&self, name: &str) -> bool {
        self.buckets.iter().any(|bucket| bucket.name == name)
    }

    /// Every bucket.
    pub fn buckets(&self) -> &[VirtualBucket] {
        &self.buckets
    }

    /// The resources that a host (lower case, no port) and a decoded path (starting with `/`) can
    /// stand for, most likely first; empty where host or bucket is not configured. At most two more
    /// than the matching bucket has names.
    pub fn resources(&self, host: &str, path: &[u8]) -> Vec<Resource<'_, &VirtualBucket>> {
        let key = path.strip_prefix(b"/").unwrap_or(path);
        let mut found = Vec::new();
        if let Some(styles) = self.styles(host) {
            for style in styles {
                match style {
                    HostStyle::Path => found.extend(self.path_style(key)),
                    HostStyle::Cname {
                        bucket,
                        unsigned_bucket,
                    } => found.extend(self.cname(bucket, *unsigned_bucket, key)),
                    HostStyle::VirtualHost => {}
                }
            }
        }
        if let Some((label, parent)) = host.split_once('.')
            && self
                .styles(parent)
                .is_some_and(|styles| styles.contains(&HostStyle::VirtualHost))
            && let Some((name, bucket)) = self.known(label.as_bytes())
        {
            found.push(Resource {
                signed_bucket: Some(name),
                key: key.to_vec(),
                bucket,
            });
        }
        found
    }

    /// Whether a host and path can stand for all buckets: `/` where buckets are named in the path, or before the
    /// host.
    pub fn is_service(&self, host: &str, path: &[u8]) -> bool {
        let styles = self.styles(host).unwrap_or_default();
        path == b"/"
            && styles
                .iter()
                .any(|style| !matches!(style, HostStyle::Cname { .. }))
    }

    /// What a client may have signed for a host and path that its configuration does not allow: the
    /// buckets that they name by label or first segment, and at `/` the service itself. A request
    /// that is signed for one of them is answered like one for a bucket that its key may not use,
    /// whether a bucket of that name is configured for another host or for none.
    pub fn unknown_resources<'r>(&self, host: &'r str, path: &'r [u8]) -> Vec<Resource<'r, ()>> {
        let key = path.strip_prefix(b"/").unwrap_or(path);
        let (first, rest) = first_segment(key);
        let in_path = core::str::from_utf8(first).ok().map(|name| (Some(name), rest));
        let in_host = host.split_once('.').map(|(label, _)| (Some(label), key));
        let service = key.is_empty().then_some((None, key));
        let allowed = self.resources(host, path);
        let is_allowed = |name, key: &[u8]| {
            allowed
                .iter()
                .any(|one| one.signed_bucket == name && one.key == key)
        };
        [in_path, in_host, service]
            .into_iter()
            .flatten()
            .filter(|(name, key)| *name != Some("") && !is_allowed(*name, key))
            .map(|(signed_bucket, key)| Resource {
                signed_bucket,
                key: key.to_vec(),
                bucket: (),
            })
            .collect()
    }

    fn path_style(&self, key: &[u8]) -> Option<Resource<'_, &VirtualBucket>> {
        let (first, rest) = first_segment(key);
        let (name, bucket) = self.known(first)?;
        Some(Resource {
            signed_bucket: Some(name),
            key: rest.to_vec(),
            bucket,
        })
    }

    fn cname(&self, bucket: &str, unsigned_bucket: bool, key: &[u8]) -> Vec<Resource<'_, &VirtualBucket>> {
        let Some((_, bucket)) = self.known(bucket.as_bytes()) else {
            return Vec::new();
        };
        let mut found: Vec<_> = bucket
            .names()
            .map(|name| Resource {
                signed_bucket: Some(name),
                key: key.to_vec(),
                bucket,
            })
            .collect();
        if unsigned_bucket && self.known(first_segment(key).0).is_none() {
            found.push(Resource {
                signed_bucket: None,
                key: key.to_vec(),
                bucket,
            });
        }
        found
    }

    /// The bucket that a name or alias stands for.
    pub fn named(&self, name: &[u8]) -> Option<&VirtualBucket> {
        self.known(name).map(|(_, bucket)| bucket)
    }

    /// The bucket that a name or alias stands for, and that name as configured.
    fn known(&self, name: &[u8]) -> Option<(&str, &VirtualBucket)> {
        self.buckets.iter().find_map(|bucket| {
            bucket
                .names()
                .find(|known| known.as_bytes() == name)
                .map(|known| (known, bucket))
        })
    }
}

/// The text up to the first `/`, and the text behind it.
fn first_segment(key: &[u8]) -> (&[u8], &[u8]) {
    match key.iter().position(|&byte| byte == b'/') {
        Some(at) => (
            key.get(..at).unwrap_or_default(),
            key.get(at.saturating_add(1)..).unwrap_or_default(),
        ),
        None => (key, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(name: &str, aliases: &[&str]) -> VirtualBucket {
        VirtualBucket {
            name: name.into(),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            acl: AclRule::Private,
            archive: ArchiveClass::Glacier,
            unsigned_headers: UnsignedHeaders::Store,
            max_tags: 10,
            max_metadata_bytes: 2048,
            max_unsized_bytes: 1 << 30,
            kms_keys: Vec::new(),
            created: UnixSeconds(0),
            staging: None,
            origin: OriginBucket {
                bucket: "s3".into(),
                region: "r".into(),
                scheme: "https".into(),
                authority: "s3.example".into(),
                addressing: OriginAddressing::Path,
            },
        }
    }

    fn hosts() -> Hosts {
        let mut hosts = Hosts::new(vec![bucket("devices", &["d111"]), bucket("other", &[])]);
        assert!(hosts.add("edge.example", vec![HostStyle::Path, HostStyle::VirtualHost]));
        assert!(hosts.add(
            "up.example",
            vec![HostStyle::Cname {
                bucket: "devices".into(),
                unsigned_bucket: false
            }]
        ));
        assert!(hosts.add(
            "free.example",
            vec![HostStyle::Cname {
                bucket: "devices".into(),
                unsigned_bucket: true
            }]
        ));
        assert!(hosts.add("cloudfront.net", vec![HostStyle::VirtualHost]));
        hosts
    }

    fn read(host: &str, path: &str) -> Vec<(Option<String>, String, String)> {
        let hosts = hosts();
        let found = hosts.resources(host, path.as_bytes());
        found
            .into_iter()
            .map(|r| {
                (
                    r.signed_bucket.map(str::to_owned),
                    String::from_utf8(r.key).unwrap(),
                    r.bucket.name.clone(),
                )
            })
            .collect()
    }

    fn one(signed: &str, key: &str, bucket: &str) -> (Option<String>, String, String) {
        (Some(signed.into()), key.into(), bucket.into())
    }

    #[test]
    fn each_of_the_four_styles_finds_its_bucket() {
        assert_eq!(
            read("edge.example", "/devices/a//b"),
            [one("devices", "a//b", "devices")]
        );
        assert_eq!(read("edge.example", "/d111/k"), [one("d111", "k", "devices")]);
        assert_eq!(
            read("devices.edge.example", "/a"),
            [one("devices", "a", "devices")]
        );
        assert_eq!(read("d111.cloudfront.net", "/a"), [one("d111", "a", "devices")]);
        assert_eq!(
            read("up.example", "/a"),
            [one("devices", "a", "devices"), one("d111", "a", "devices")]
        );
    }

    #[test]
    fn bucket_level_paths_have_an_empty_key() {
        for path in ["/devices", "/devices/"] {
            assert_eq!(read("edge.example", path), [one("devices", "", "devices")]);
        }
        assert_eq!(read("devices.edge.example", "/"), [one("devices", "", "devices")]);
    }

    #[test]
    fn l05_unknown_hosts_and_unknown_buckets_look_alike() {
        for (host, path) in [
            ("nowhere.example", "/devices/k"),
            ("edge.example", "/nobody/k"),
            ("edge.example", "/"),
            ("nobody.edge.example", "/k"),
            ("devices.up.example", "/k"),
            ("a.devices.edge.example", "/k"),
            ("cloudfront.net", "/devices/k"),
            ("DEVICES.edge.example", "/k"),
        ] {
            assert_eq!(read(host, path), [], "{host}{path}");
        }
    }

    #[test]
    fn l05_unknown_resources_are_those_that_the_host_does_not_allow_configured_or_not() {
        let names = |host, path: &str| -> Vec<String> {
            let hosts = hosts();
            let found = hosts.unknown_resources(host, path.as_bytes());
            found
                .into_iter()
                .filter_map(|resource| resource.signed_bucket.map(str::to_owned))
                .collect()
        };
        assert_eq!(names("edge.example", "/nobody/k"), ["nobody", "edge"]);
        assert_eq!(names("devices.edge.example", "/nobody/k"), ["nobody"]);
        assert_eq!(names("edge.example", "/devices/k"), ["edge"]);
        for host in ["localhost", "up"] {
            assert_eq!(names(host, "/devices/k"), ["devices"]);
            assert_eq!(names(host, "/nobody/k"), ["nobody"]);
        }
        assert_eq!(names("up.example", "/other/k"), ["other", "up"]);
        assert_eq!(names("up.example", "/nobody/k"), ["nobody", "up"]);
        assert_eq!(hosts().unknown_resources("localhost", b"/").len(), 1);
    }

    #[test]
    fn the_unsigned_bucket_is_a_candidate_only_where_switched_on_and_never_over_a_bucket_s_name() {
        let unsigned = |path| {
            read("free.example", path)
                .iter()
                .any(|(signed, _, _)| signed.is_none())
        };
        assert!(unsigned("/k/1"));
        assert!(unsigned("/devicesx/1"));
        for path in ["/devices/k", "/other/k", "/d111/k", "/devices"] {
            assert!(!unsigned(path), "{path}");
        }
        assert!(
            read("up.example", "/k")
                .iter()
                .all(|(signed, _, _)| signed.is_some())
        );
    }
}
