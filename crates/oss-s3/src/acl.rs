//! Who may do what with an object: S3's grants, as either dialect tells them.
//!
//! OSS has a word for each of three states and S3 a list of grants. Of that list only what is granted to
//! everybody is told: the other grantees are accounts of the operator's, by their canonical ids. The owner
//! that a client is told is the gateway's own name for whoever runs it.
//!
//! In a bucket whose rule is `private` no ACL was ever set through the gateway, and S3's buckets have ACLs
//! switched off unless their operator wanted them: nobody is asked, and every object is private.

use request_auth::Dialect;

use crate::error::{Fault, Refusal};
use crate::response::OWNER;
use crate::xml::{self, Document, Unreadable};

/// The header of a canned ACL for S3.
pub(crate) const HEADER: &str = "x-amz-acl";

/// What S3 calls groups of people.
const GROUPS: [&str; 2] = [
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
];
/// The first of the permissions comprises the rest.
const PERMISSIONS: [&str; 5] = ["FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"];

/// What is granted to groups, each a name of [`GROUPS`] and one of [`PERMISSIONS`].
#[derive(Default)]
pub(crate) struct Acl(Vec<[&'static str; 2]>);

impl Acl {
    /// Reads S3's document. A grant to an account, or to a group that is not everybody, is skipped.
    ///
    /// # Errors
    /// [`Unreadable`] for what is no such document.
    pub(crate) fn from_origin(document: &[u8]) -> Result<Self, Unreadable> {
        const LIST: [&str; 3] = ["AccessControlPolicy", "AccessControlList", "Grant"];
        let [root, list, grant] = LIST;
        let mut acl = Self::default();
        let mut is_policy = false;
        let (mut group, mut permission) = (None, None);
        xml::read::<Unreadable>(document, &mut |element| {
            let known = |names: &[&'static str]| names.iter().copied().find(|name| *name == element.text);
            if element.is(&[root, list, grant, "Grantee", "URI"]) {
                group = known(&GROUPS);
            } else if element.is(&[root, list, grant, "Permission"]) {
                permission = known(&PERMISSIONS);
            } else if element.is(&LIST) {
                acl.0.extend(
                    group
                        .take()
                        .zip(permission.take())
                        .map(|(group, permission)| [group, permission]),
                );
            } else if element.is(&[root]) {
                is_policy = true;
            }
            Ok(())
        })?;
        if is_policy { Ok(acl) } else { Err(Unreadable) }
    }

    /// The document for a client of this dialect.
    pub(crate) fn to_document(&self, dialect: Dialect) -> String {
        let mut document = Document::of_result("AccessControlPolicy", dialect);
        let owner = |document: &mut Document| {
            document.leaf("ID", OWNER);
            document.leaf("DisplayName", OWNER);
        };
        document.open("Owner");
        owner(&mut document);
        document.close("Owner");
        document.open("AccessControlList");
        match dialect {
            Dialect::Oss => document.leaf("Grant", self.in_a_word()),
            Dialect::S3 => {
                let grantee = |document: &mut Document, kind: &str, group: &str, permission: &str| {
                    document.open("Grant");
                    document.open(
                        &[
                            "Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"",
                            kind,
                            "\"",
                        ]
                        .concat(),
                    );
                    match group {
                        "" => owner(document),
                        group => document.leaf("URI", group),
                    }
                    document.close("Grantee");
                    document.leaf("Permission", permission);
                    document.close("Grant");
                };
                grantee(&mut document, "CanonicalUser", "", "FULL_CONTROL");
                for [group, permission] in &self.0 {
                    grantee(&mut document, "Group", group, permission);
                }
            }
        }
        document.close("AccessControlList");
        document.finish()
    }

    /// OSS's word for it.
    fn in_a_word(&self) -> &'static str {
        let [everybody, _] = GROUPS;
        let may = |right| {
            let mut grants = self.0.iter();
            grants.any(|[group, permission]| {
                *group == everybody && (*permission == right || *permission == "FULL_CONTROL")
            })
        };
        match (may("READ"), may("WRITE")) {
            (true, true) => "public-read-write",
            (true, false) => "public-read",
            (false, _) => "private",
        }
    }
}

/// Judges PutObjectAcl's request: an ACL in a header, and no document.
///
/// # Errors
/// `NotImplemented` for a list of grants, which names accounts that are not the client's to name;
/// `InvalidArgument` for a request that says nothing.
pub(crate) fn check(is_named: bool, document: &[u8], dialect: Dialect) -> Result<(), Refusal> {
    if !document.is_empty() {
        return Err(Refusal::new(Fault::NotImplemented).about("AccessControlPolicy"));
    }
    if !is_named {
        return Err(Refusal::new(Fault::ArgumentInvalid).about(match dialect {
            Dialect::Oss => "x-oss-object-acl",
            Dialect::S3 => HEADER,
        }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(grantee: &str, permission: &str) -> String {
        format!(
            "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\">{grantee}</Grantee>\
             <Permission>{permission}</Permission></Grant>"
        )
    }

    fn everybody(permission: &str) -> String {
        grant(
            "<URI>http://acs.amazonaws.com/groups/global/AllUsers</URI>",
            permission,
        )
    }

    /// S3's document: the account has all rights, and these grants follow.
    fn policy(grants: &str) -> String {
        let id = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a";
        let owner = format!("<ID>{id}</ID><DisplayName>acme-account</DisplayName>");
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Owner>{owner}</Owner><AccessControlList>{}{grants}</AccessControlList></AccessControlPolicy>",
            grant(&owner, "FULL_CONTROL")
        )
    }

    fn told(document: &str, dialect: Dialect) -> Option<String> {
        let acl = Acl::from_origin(document.as_bytes()).ok()?;
        let told = acl.to_document(dialect);
        assert!(!told.contains("75aa57") && !told.contains("acme"), "{told}");
        Some(told)
    }

    #[test]
    fn what_everybody_may_is_a_word_of_osss() {
        let signed_in = "<URI>http://acs.amazonaws.com/groups/global/AuthenticatedUsers</URI>";
        let logs = "<URI>http://acs.amazonaws.com/groups/s3/LogDelivery</URI>";
        for (grants, word) in [
            (String::new(), "private"),
            (everybody("READ"), "public-read"),
            (
                [everybody("READ"), everybody("WRITE")].concat(),
                "public-read-write",
            ),
            (
                [everybody("WRITE"), everybody("READ")].concat(),
                "public-read-write",
            ),
            (everybody("FULL_CONTROL"), "public-read-write"),
            (everybody("WRITE"), "private"),
            (everybody("READ_ACP"), "private"),
            (grant(signed_in, "READ"), "private"),
            (grant(logs, "READ"), "private"),
            // Nobody's right becomes everybody's because it stands beside it.
            ([grant(logs, "READ"), everybody("READ_ACP")].concat(), "private"),
            ([everybody("NEW"), grant(logs, "READ")].concat(), "private"),
            (everybody(" READ "), "private"),
        ] {
            let expected = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AccessControlPolicy><Owner><ID>{OWNER}</ID>\
                 <DisplayName>{OWNER}</DisplayName></Owner><AccessControlList><Grant>{word}</Grant></AccessControlList>\
                 </AccessControlPolicy>"
            );
            assert_eq!(told(&policy(&grants), Dialect::Oss), Some(expected), "{grants}");
        }
    }

    #[test]
    fn s3_clients_are_told_the_grants_to_groups_and_an_owner_that_is_no_account() {
        let grants = [everybody("READ"), grant("<ID>75aa57</ID>", "READ")].concat();
        let document = told(&policy(&grants), Dialect::S3).unwrap();
        let owner = format!("<ID>{OWNER}</ID><DisplayName>{OWNER}</DisplayName>");
        let full = grant(&owner, "FULL_CONTROL").replace("\"Group\"", "\"CanonicalUser\"");
        assert_eq!(
            document,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                 <Owner>{owner}</Owner><AccessControlList>{full}{}</AccessControlList></AccessControlPolicy>",
                everybody("READ")
            )
        );
    }

    #[test]
    fn what_is_no_policy_is_not_read_as_a_private_one() {
        for document in [
            "",
            "<AccessControlList/>",
            "<Error><Code>x</Code></Error>",
            "<AccessControlPolicy>",
        ] {
            assert_eq!(told(document, Dialect::Oss), None, "{document}");
        }
    }

    #[test]
    fn a_list_of_grants_is_refused_and_so_is_a_request_that_says_nothing() {
        for (is_named, document, fault) in [
            (true, b"".as_slice(), None),
            (true, b"<AccessControlPolicy/>", Some(Fault::NotImplemented)),
            (false, b"<AccessControlPolicy/>", Some(Fault::NotImplemented)),
            (false, b"", Some(Fault::ArgumentInvalid)),
        ] {
            let refused = check(is_named, document, Dialect::S3).err();
            assert_eq!(refused.map(|refusal| refusal.fault()), fault);
        }
    }
}
