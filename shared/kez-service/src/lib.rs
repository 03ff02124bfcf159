//! What every Kez service needs around its own work: configuration, telemetry, the connection, the table of calls,
//! refusals, time, randomness, and group commit.
//!
//! A service is a table: [`Service::new`], one `.on(ENDPOINT, handler)` a call, then [`Service::start`].

pub mod ask;
pub mod batch;
pub mod clock;
pub mod config;
pub mod connect;
pub mod connections;
pub mod fault;
pub mod limit;
mod listener;
pub mod random;
pub mod roll_call;
pub mod run;
pub mod service;
pub mod streams;
pub mod telemetry;
pub mod trace;
mod watchdog;

pub use ask::ask;
pub use clock::Clock;
pub use config::{NatsConfig, TelemetryConfig};
pub use connect::connect;
pub use fault::Fault;
pub use service::{Call, Caller, Delivery, Running, Service};
