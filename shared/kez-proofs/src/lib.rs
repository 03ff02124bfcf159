//! Checks whether an account says that it belongs to an identity.

mod guard;
