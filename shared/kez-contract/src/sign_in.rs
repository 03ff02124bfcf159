//! How the broker asks who may connect: its own protocol, the auth callout, so these names are not ours to choose.

/// Where nats-server asks, in the account `AUTH`: a sealed JWT, answered by another, or not at all.
pub const ASKED: &str = "$SYS.REQ.USER.AUTH";

/// The group in which replicas share the asking.
pub const QUEUE_GROUP: &str = "kez-auth";

/// The header that names the curve key (X…) which a question is sealed from and its answer sealed to.
pub const SERVER_XKEY_HEADER: &str = "Nats-Server-Xkey";

/// The account that people are let into (nats/accounts.conf).
pub const ACCOUNT: &str = "EDGE";

/// Where the callout asks every server of the broker who is connected as a person: the broker's own `CONNZ`, of that account
/// alone. Each server answers for itself.
pub const CONNECTIONS: &str = "kez.edge.connections";

/// Where the callout has one server of the broker end a connection: the broker's own `KICK`.
pub fn disconnect(server_id: &str) -> String {
    format!("kez.edge.kick.{server_id}")
}

/// The name under which the broker lists somebody's connections: the primary, and the device if it is another key. What is
/// before the dot says who it is.
pub fn connection_name(primary: &str, device: &str) -> String {
    if primary == device { primary.to_owned() } else { format!("{primary}.{device}") }
}

/// The primary and the device of the connections of that name.
pub fn whose_connection(name: &str) -> (&str, &str) {
    name.split_once('.').unwrap_or((name, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_connection_says_whose_it_is() {
        for (primary, device, name) in [("aa", "bb", "aa.bb"), ("aa", "aa", "aa")] {
            assert_eq!(connection_name(primary, device), name);
            assert_eq!(whose_connection(name), (primary, device));
        }
    }
}
