//! What a stored object has beside its bytes: tags, an ACL, and whether it is restored from an archive.
//!
//! Each is a sub-resource of the object, or of a version of it, and its name in the query is all that tells
//! these operations apart from one another.

use super::{Arguments, Operation, VersionId};

/// An operation on a sub-resource of an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attribute {
    operation: Operation,
    version: Option<VersionId>,
}

impl Attribute {
    /// The operation.
    pub const fn operation(&self) -> Operation {
        self.operation
    }

    /// The method of the request for S3, the same as the client's.
    pub(crate) const fn method(&self) -> &'static str {
        match self.operation {
            Operation::PutObjectTagging | Operation::PutObjectAcl => "PUT",
            Operation::DeleteObjectTagging => "DELETE",
            Operation::RestoreObject => "POST",
            _ => "GET",
        }
    }

    /// The version of the object; `None`: the current one.
    pub const fn version(&self) -> Option<&VersionId> {
        self.version.as_ref()
    }

    /// The query for S3 without `?`, strictly percent-encoded and sorted by name.
    pub fn query(&self) -> String {
        let version = self.version.as_ref().map(VersionId::query);
        let mark = if version.is_some() { "=&" } else { "=" };
        [sub_resource(self.operation), mark, &version.unwrap_or_default()].concat()
    }
}

impl Arguments {
    /// An operation on a sub-resource, or the name of the parameter that has an impossible value.
    pub(super) fn attribute(&self, operation: Operation) -> Result<Attribute, &'static str> {
        self.flag(sub_resource(operation))?;
        let version = self.version()?;
        Ok(Attribute { operation, version })
    }
}

/// The query name, the same in both dialects.
const fn sub_resource(operation: Operation) -> &'static str {
    match operation {
        Operation::GetObjectAcl | Operation::PutObjectAcl => "acl",
        Operation::RestoreObject => "restore",
        _ => "tagging",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Call, NotACall};
    use super::*;
    use crate::device::Request as Device;

    /// The operation and its request for S3.
    fn asked(request: &Device) -> Result<(Operation, String), NotACall> {
        match request.recognised()? {
            Call::Attribute(attribute) => {
                let asked = [attribute.method(), " ", &attribute.query()].concat();
                Ok((attribute.operation(), asked))
            }
            call => panic!("{call:?}"),
        }
    }

    #[test]
    fn a_sub_resource_and_a_method_are_an_operation_in_both_dialects() {
        for (method, query, operation, expected) in [
            ("GET", "tagging", Operation::GetObjectTagging, "GET tagging="),
            ("PUT", "tagging=", Operation::PutObjectTagging, "PUT tagging="),
            (
                "DELETE",
                "tagging&versionId=v",
                Operation::DeleteObjectTagging,
                "DELETE tagging=&versionId=v",
            ),
            (
                "GET",
                "acl&versionId=a%2Fb.c_-",
                Operation::GetObjectAcl,
                "GET acl=&versionId=a%2Fb.c_-",
            ),
            ("PUT", "acl", Operation::PutObjectAcl, "PUT acl="),
            (
                "POST",
                "restore&versionId=null",
                Operation::RestoreObject,
                "POST restore=&versionId=null",
            ),
        ] {
            let target = ["/devices/k?", query].concat();
            for request in [
                Device::new(method, &target),
                Device::new(method, &target).signed_by_v4(""),
                Device::new(method, &target).signed_by_s3(&[]),
                Device::new(method, &[&target, "&x-id=", operation.s3_name()].concat()).signed_by_s3(&[]),
                Device::new(method, &target).presigned_by_s3(),
            ] {
                assert_eq!(
                    asked(&request),
                    Ok((operation, expected.to_owned())),
                    "{method} {query}"
                );
            }
        }
    }

    #[test]
    fn h04_an_impossible_value_is_refused_by_its_name() {
        for (method, query, name) in [
            ("GET", "tagging=1", "tagging"),
            ("PUT", "acl=private", "acl"),
            ("POST", "restore=1", "restore"),
            ("GET", "acl&versionId=", "versionId"),
            ("DELETE", "tagging&versionId=a%20b", "versionId"),
            ("PUT", "tagging&versionId=%C3%A9", "versionId"),
        ] {
            let refused = asked(&Device::new(method, &["/devices/k?", query].concat()));
            assert!(
                matches!(refused, Err(NotACall::BadParameter(_, found)) if found == name),
                "{query} {refused:?}"
            );
        }
    }
}
