//! Stories on the real thing: one binary, a disposable mesh a test.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a story that cannot go on ends its test")]

mod deploy;
mod catches_up;
mod registry_database;
mod registry_people;
mod registry_profiles;
mod registry_webfinger;
