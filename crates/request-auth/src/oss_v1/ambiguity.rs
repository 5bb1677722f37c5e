//! What lets two V1 requests share one string to sign.
//!
//! V1 signs decoded text without quoting it, so `?`, `&` and line breaks inside a key or a value can
//! be read as the marks between the parts. What real SDKs send passes: a `?` or `&` that no signed
//! name follows.

use super::is_sub_resource as is_signed;
use crate::denial::{Ambiguity, Denial};
use crate::head::RequestHead;
use crate::oss_form::refuse_repeated;

/// Refuses what another request could share its string to sign with (attack cases O01, O03), and
/// repeated signed parameters.
pub(super) fn refuse_ambiguity(head: &RequestHead<'_>) -> Result<(), Denial> {
    let line_break = |bytes: &[u8]| bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    let signed = || {
        head.parameters()
            .iter()
            .filter(|parameter| is_signed(&parameter.name))
    };
    if line_break(head.path())
        || signed().any(|parameter| line_break(&parameter.name) || line_break(&parameter.value))
    {
        return Err(Denial::AmbiguousText(Ambiguity::LineBreak));
    }
    if starts_sub_resource_after(head.path(), b'?') {
        return Err(Denial::AmbiguousText(Ambiguity::SubResourceInKey));
    }
    // An x-oss- name is signed whatever follows, so `=`, `&` and `?` inside one are ambiguous too.
    let odd_name = |name: &[u8]| name.iter().any(|byte| matches!(byte, b'=' | b'&' | b'?'));
    if signed()
        .any(|parameter| odd_name(&parameter.name) || starts_sub_resource_after(&parameter.value, b'&'))
    {
        return Err(Denial::AmbiguousText(Ambiguity::SubResourceInValue));
    }
    refuse_repeated(head, is_signed)
}

/// Whether a `mark` in `text` is followed by a signed sub-resource name that ends there or at `=`,
/// `&` or `?`.
fn starts_sub_resource_after(text: &[u8], mark: u8) -> bool {
    text.split(|&byte| byte == mark).skip(1).any(|rest| {
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b'=' | b'&' | b'?'))
            .unwrap_or(rest.len());
        rest.get(..end).is_some_and(is_signed)
    })
}
