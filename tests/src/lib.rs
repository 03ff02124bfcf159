//! The test harness: a disposable broker on the production account file, all services for real, and people in one line.
//!
//! `let mesh = Mesh::start().await; let alice = mesh.person("alice").await;`

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a harness that cannot do its work ends the test"
)]

pub mod accounts;
pub mod broker;
pub mod cable;
pub mod chains;
pub mod collector;
pub mod command;
pub mod container;
pub mod database;
pub mod guest;
pub mod load;
pub mod marks;
pub mod mesh;
pub mod operator;
pub mod owner;
pub mod person;
pub mod process;
pub mod push;
pub mod shell;
pub mod subscriber;
pub mod tap;
pub mod web;

pub use cable::Cable;
pub use chains::Chains;
pub use collector::Collector;
pub use guest::Guest;
pub use load::Load;
pub use mesh::Mesh;
pub use owner::Owner;
pub use person::Person;
pub use process::Process;
pub use push::PushNetwork;
pub use shell::Shell;
pub use tap::Tap;
pub use web::Web;
