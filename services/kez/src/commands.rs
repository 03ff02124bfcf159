//! What people type, one file a command.

pub mod archive;
mod avatar;
pub mod bench;
pub mod claim;
pub mod completions;
pub mod conform;
pub mod device;
pub mod doctor;
pub mod identity;
pub mod inbox;
mod letter;
pub mod mesh;
pub mod register;
mod rotate;
pub mod send;
pub mod sigchain;
mod verdict;
pub mod whois;
mod whose;
