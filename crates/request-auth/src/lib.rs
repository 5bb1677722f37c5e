//! Verification and signing of object-storage requests.
