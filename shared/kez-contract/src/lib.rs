//! What can be asked in Kez: every subject with its request, its reply and the words it is refused in.
//!
//! Reading order: [`registry`], [`inbox`], [`sigchain`] and [`push`] list the calls, [`endpoint`] says what a call is, [`event`] what is
//! announced without being asked, [`problem`] how a call is refused. No subject is written anywhere else.

pub mod config;
pub mod endpoint;
pub mod event;
pub mod http;
pub mod inbox;
pub mod problem;
pub mod push;
pub mod registry;
pub mod roll_call;
pub mod sigchain;
pub mod sign_in;

pub use endpoint::{Endpoint, Mesh, Person, Rpc, Svc, Web, WebClient};
pub use event::Event;
pub use problem::{Code, Problem};

/// What every signed or sealed document is carried as: its text exactly as it came, so that it can be parsed strictly.
pub type Document = Box<serde_json::value::RawValue>;
