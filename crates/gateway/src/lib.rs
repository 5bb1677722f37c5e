//! The three roles of the gateway as pure functions.
