//! Stories on the real thing: one binary, a disposable mesh a test.

mod catches_up;
mod registry_database;
