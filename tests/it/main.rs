//! Stories on the real thing: one binary, a disposable mesh a test.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a story that cannot go on ends its test")]

mod broker_cheats;
mod catches_up;
mod checks;
mod claims_and_chains;
mod confined;
mod deploy;
mod deputies;
mod device_command;
mod devices;
mod faces;
mod hostile_headers;
mod http_behaviours;
mod keeps_quiet;
mod kez_up;
mod load_survives;
mod mailboxes;
mod outages;
mod permissions;
mod profiles;
mod projection;
mod proofs_activitypub;
mod proofs_bluesky;
mod proofs_dns;
mod proofs_github;
mod proofs_guard;
mod proofs_nostr;
mod proofs_web;
mod races_to_register;
mod rate_limits;
mod registers;
mod registry_calls;
mod registry_database;
mod replicas;
mod retries;
mod rotates;
mod sends_message;
mod service_commands;
mod shuts_down;
mod sigchain_command;
mod sigchains;
mod sigchains_over_http;
mod signs_in;
mod streams_over_http;
mod waking_sessions;
