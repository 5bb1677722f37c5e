//! An upload id that a client was told is good for that client and that object, unchanged, and for nothing else (attack
//! case H09).

use conformance::upload::{seals, told};
use oss_s3::operation::UploadId;
use oss_s3::upload::{Owner, SealKeys, Upload};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::config;

/// Bucket, key and access key id; short, and of few characters, so that what stands at the end of one stands at the
/// beginning of the next in another.
type Whose = (String, String, String);

fn whose() -> impl Strategy<Value = Whose> {
    ("[a-c]{1,3}", "[a-c/]{1,4}", "[a-c]{1,3}")
}

fn owner((bucket, key, key_id): &Whose) -> Owner<'_> {
    Owner { bucket, key, key_id }
}

fn opened(whose: &Whose, seals: &SealKeys, id: &[u8]) -> Option<Upload> {
    owner(whose).open(seals, &UploadId::new(id)?)
}

proptest! {
    #![proptest_config(config(4000))]

    #[test]
    fn h09_an_id_told_to_one_owner_opens_for_it_and_for_no_other(
        first in whose(),
        second in whose(),
        id in "[!-~]{1,40}",
    ) {
        let told = told(owner(&first), &id);
        let upload = opened(&first, &seals(), told.as_bytes());
        prop_assert_eq!(upload.as_ref().map(|upload| upload.id().as_str()), Some(id.as_str()));
        prop_assert_eq!(opened(&second, &seals(), told.as_bytes()).is_some(), first == second);
        // Nor does what stands before its seal make another upload's id of it.
        prop_assert_eq!(opened(&first, &seals(), id.as_bytes()), None);
    }

    #[test]
    fn h09_the_parts_of_an_owner_can_not_be_cut_elsewhere(
        text in "[a-c/]{3,9}",
        cuts in [any::<Index>(), any::<Index>(), any::<Index>(), any::<Index>()],
        id in "[!-~]{1,40}",
    ) {
        let cut = |one: Index, other: Index| -> Whose {
            let (one, other) = (one.index(text.len() + 1), other.index(text.len() + 1));
            let (one, other) = (one.min(other), one.max(other));
            let (first, rest) = text.split_at(one);
            let (second, third) = rest.split_at(other - one);
            (first.to_owned(), second.to_owned(), third.to_owned())
        };
        let (first, second) = (cut(cuts[0], cuts[1]), cut(cuts[2], cuts[3]));
        let told = told(owner(&first), &id);
        prop_assert_eq!(opened(&second, &seals(), told.as_bytes()).is_some(), first == second);
    }

    #[test]
    fn h09_a_told_id_with_any_byte_changed_put_in_or_left_out_is_none(
        whose in whose(),
        id in "[!-~]{1,40}",
        at in any::<Index>(),
        byte in b'!'..=b'~',
    ) {
        let told = told(owner(&whose), &id).into_bytes();
        let at = at.index(told.len());
        let (mut changed, mut longer, mut shorter) = (told.clone(), told.clone(), told.clone());
        changed[at] = byte;
        longer.insert(at, byte);
        shorter.remove(at);
        for other in [changed, longer, shorter, [told.as_slice(), &[byte]].concat()] {
            prop_assert_eq!(opened(&whose, &seals(), &other).is_some(), other == told, "{:?}", other);
        }
    }

    #[test]
    fn h09_what_another_deployment_told_is_none(whose in whose(), id in "[!-~]{1,40}", secret in "[!-~]{1,40}") {
        let others = SealKeys::new(core::iter::once(secret.as_bytes()));
        prop_assert_eq!(opened(&whose, &others, told(owner(&whose), &id).as_bytes()), None);
    }
}
