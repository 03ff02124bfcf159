//! What people type, one file a command.

pub mod bench;
pub mod completions;
pub mod conform;
pub mod doctor;
pub mod identity;
pub mod inbox;
mod letter;
pub mod mesh;
pub mod register;
pub mod send;
pub mod whois;
