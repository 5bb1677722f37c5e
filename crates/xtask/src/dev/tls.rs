//! The certificate that the local gateways serve TLS with, made anew for every run: SDKs frame bodies in another way
//! over TLS than without, so both have to be here.
//!
//! It is signed by an authority whose key is thrown away at once: whoever is told to trust that authority trusts this
//! one certificate and no other.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use super::run_folder::RunFolder;

/// Where the parts are, all in PEM.
pub(super) struct Certificate {
    /// The certificate of the authority, for clients.
    pub(super) ca_file: PathBuf,
    /// The gateway's certificate.
    pub(super) file: PathBuf,
    /// The private key to it.
    pub(super) key_file: PathBuf,
}

impl Certificate {
    /// Makes one for `names`: host names, `*.` before one for all names with one label more, and addresses.
    ///
    /// # Errors
    /// A name is none, or the run's folder cannot be written.
    pub(super) fn make(run: &RunFolder, names: Vec<String>) -> anyhow::Result<Self> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        authority
            .distinguished_name
            .push(DnType::CommonName, "cargo xtask dev");
        let issuer = Issuer::new(authority.clone(), KeyPair::generate()?);

        let mut own = CertificateParams::new(names).context("the names of the certificate")?;
        own.use_authority_key_identifier_extension = true;
        own.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = own.signed_by(&key, &issuer)?;

        let folder = run.folder("tls")?;
        let write = |name: &str, pem: String| {
            let path = folder.join(name);
            fs::write(&path, pem).with_context(|| format!("cannot write {}", path.display()))?;
            anyhow::Ok(path)
        };
        Ok(Self {
            ca_file: write("ca.pem", authority.self_signed(issuer.key())?.pem())?,
            file: write("certificate.pem", certificate.pem())?,
            key_file: write("key.pem", key.serialize_pem())?,
        })
    }
}
