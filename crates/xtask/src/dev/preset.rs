//! `--preset`: what the printed key may do.

use clap::ValueEnum;
use gateway::policy::{DATA_LAYER, READ_ONLY, READ_WRITE, UPLOAD_ONLY};

/// A preset of a grant's operations; the names are those that a key record says.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum Preset {
    /// Store objects, at once or in parts.
    UploadOnly,
    /// Read and list objects, and say what the bucket is.
    ReadOnly,
    /// Both, and copy, tag and delete objects.
    ReadWrite,
    /// Every operation.
    DataLayer,
}

impl Preset {
    /// Its name in a grant.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UploadOnly => UPLOAD_ONLY,
            Self::ReadOnly => READ_ONLY,
            Self::ReadWrite => READ_WRITE,
            Self::DataLayer => DATA_LAYER,
        }
    }

    pub(crate) fn uploads(self) -> bool {
        self != Self::ReadOnly
    }

    pub(crate) fn reads(self) -> bool {
        self != Self::UploadOnly
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_takes_the_names_that_grants_have() {
        assert_eq!(Preset::value_variants().len(), gateway::policy::PRESETS.len());
        for preset in Preset::value_variants() {
            assert_eq!(preset.to_possible_value().unwrap().get_name(), preset.name());
        }
    }
}
