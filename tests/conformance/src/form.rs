//! Runs vectors that are POST forms: the fields as signed, with a file of one byte behind them, posted in
//! every addressing style.

use gateway::form::read_policy;
use oss_s3::addressing::{HostStyle, Hosts, VirtualBucket};
use oss_s3::error::Refusal;
use request_auth::post_policy::{Form, FormClaim, FormDenial, FormFields};
use request_auth::{Denial, KeyMaterial, Scheme, SecretKey, SecurityToken, UnixSeconds, Verified};

use crate::run::{bucket, compare, compare_refusal, rules};
use crate::vector::Vector;

/// The scheme of a vector's `auth`, if it is one of a form.
pub fn scheme(auth: &str) -> Option<Scheme> {
    Some(match auth {
        "OSS-POST-V1" => Scheme::OssPostV1,
        "OSS-POST-V2" => Scheme::OssPostV2,
        "OSS-POST-V4" => Scheme::OssPostV4,
        "AWS-POST-V4" => Scheme::S3PostV4,
        _ => return None,
    })
}

/// The name of the vectors' file.
const FILE_NAME: &str = "a.txt";

/// Runs one vector, whose scheme is a form's.
pub(crate) fn check(vector: &Vector, scheme: Scheme) -> Result<(), String> {
    let form = vector
        .expect
        .form
        .as_ref()
        .ok_or("It has no form, and its scheme is one of forms.")?;
    let parts = form
        .iter()
        .map(|(name, value)| (name.clone(), value.clone().into_bytes()));
    let name = vector.config.bucket().ok_or("It has no bucket.")?;
    let hosts = hosts(name);
    let in_path = ["/", name, "/"].concat();
    let label = [name, ".edge.example"].concat();
    for (host, path) in [
        ("cname.example", "/"),
        ("edge.example", in_path.as_str()),
        ("edge.example", in_path.trim_end_matches('/')),
        (label.as_str(), "/"),
    ] {
        let fields = match FormFields::new(parts.clone().collect()) {
            Ok(fields) => fields,
            Err(denial) => return compare_refusal(vector, &Refusal::from(denial)),
        };
        match verify(vector, &hosts, (host, path), &fields) {
            Ok((claim, verified)) => compare_acceptance(vector, scheme, &claim, &verified)?,
            Err(denial) => compare_refusal(vector, &Refusal::from(denial))?,
        }
    }
    Ok(())
}

/// The gateway's steps from fields to verified, for a gateway that is configured from the vector.
fn verify<'h>(
    vector: &Vector,
    hosts: &'h Hosts,
    (host, path): (&str, &str),
    fields: &FormFields,
) -> Result<(FormClaim, Verified<'h, &'h VirtualBucket>), FormDenial> {
    let claim = FormClaim::of(fields)?;
    let credentials = &vector.credentials;
    if claim.key_id() != credentials.access_key_id {
        return Err(Denial::UnknownKey.into());
    }
    let secret = SecretKey::new(credentials.access_key_secret.clone()).ok_or(Denial::InactiveKey)?;
    let token = credentials.security_token.clone().and_then(SecurityToken::new);
    let key = KeyMaterial {
        key_id: &credentials.access_key_id,
        secrets: vec![&secret],
        public_key: None,
        security_token: token.as_ref(),
        schemes: &Scheme::ALL,
    };
    let form = Form {
        fields,
        file_name: FILE_NAME.as_bytes(),
        file_bytes: 1,
    };
    let resources = hosts.resources(host, path.as_bytes());
    let now = UnixSeconds(vector.now_unix);
    let verified = claim.verify(&form, &key, resources, &rules(), now, read_policy)?;
    Ok((claim, verified))
}

fn hosts(name: &str) -> Hosts {
    let mut hosts = Hosts::new(vec![bucket(name)]);
    let cname = HostStyle::Cname {
        bucket: name.to_owned(),
        unsigned_bucket: false,
    };
    let _ = hosts.add("cname.example", vec![cname]);
    let _ = hosts.add("edge.example", vec![HostStyle::Path, HostStyle::VirtualHost]);
    hosts
}

fn compare_acceptance<B>(
    vector: &Vector,
    scheme: Scheme,
    claim: &FormClaim,
    verified: &Verified<'_, B>,
) -> Result<(), String> {
    compare(vector, verified)?;
    if (claim.scheme(), verified.scheme()) != (scheme, scheme) {
        return Err("It verified with a scheme that it does not name.".to_owned());
    }
    let key = vector.key.replace("${filename}", FILE_NAME);
    if verified.key() != key.as_bytes() {
        return Err(format!(
            "The key is {key:?}, not {:?}.",
            String::from_utf8_lossy(verified.key())
        ));
    }
    match &vector.expect.string_to_sign {
        Some(expected) if expected.as_bytes() != claim.string_to_sign() => {
            Err("The text that was signed is not the expected string to sign.".to_owned())
        }
        _ => Ok(()),
    }
}
