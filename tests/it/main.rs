//! Stories on the real thing: one binary, a disposable mesh a test.

mod deploy;
mod catches_up;
mod registry_database;
mod registry_people;
mod registry_profiles;
mod registry_webfinger;
