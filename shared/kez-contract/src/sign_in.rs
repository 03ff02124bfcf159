//! How the broker asks who may connect: its own protocol, the auth callout, so these names are not ours to choose.

/// Where nats-server asks, in the account `AUTH`: a sealed JWT, answered by another, or not at all.
pub const ASKED: &str = "$SYS.REQ.USER.AUTH";

/// The group in which replicas share the asking.
pub const QUEUE_GROUP: &str = "kez-auth";

/// The header that names the curve key (X…) which a question is sealed from and its answer sealed to.
pub const SERVER_XKEY_HEADER: &str = "Nats-Server-Xkey";

/// The account that people are let into (nats/accounts.conf).
pub const ACCOUNT: &str = "EDGE";

/// Where the callout, and the push service, ask every server of the broker who is connected as a person: the broker's own `CONNZ`, of that account
/// alone. Each server answers for itself.
pub const CONNECTIONS: &str = "kez.edge.connections";

/// Where the callout has one server of the broker end a connection: the broker's own `KICK`.
pub fn disconnect(server_id: &str) -> String {
    format!("kez.edge.kick.{server_id}")
}

/// Where the push service hears that somebody has connected as a person, from the broker itself.
pub const CONNECTED: &str = "kez.edge.connected";

/// The same of a connection that has ended, with the broker's reason.
pub const DISCONNECTED: &str = "kez.edge.disconnected";

/// What the names of connections end with that are for waking alone.
const WAKING: &str = ".wake";

/// The name under which the broker lists somebody's connections: the primary, and the device if it is another key. What is
/// before the dot says who it is.
pub fn connection_name(primary: &str, device: &str) -> String {
    if primary == device { primary.to_owned() } else { format!("{primary}.{device}") }
}

/// The same for connections whose session is for waking alone: nobody is there who would see a message.
pub fn waking_connection_name(primary: &str, device: &str) -> String {
    format!("{primary}.{device}{WAKING}")
}

/// The primary and the device of the connections of that name.
pub fn whose_connection(name: &str) -> (&str, &str) {
    let name = name.strip_suffix(WAKING).unwrap_or(name);
    name.split_once('.').unwrap_or((name, name))
}

/// Whether connections of that name are for waking alone.
pub fn is_waking_connection(name: &str) -> bool {
    name.ends_with(WAKING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_connection_says_whose_it_is() {
        for (primary, device, name) in [("aa", "bb", "aa.bb"), ("aa", "aa", "aa")] {
            assert_eq!(connection_name(primary, device), name);
            assert_eq!(whose_connection(name), (primary, device));
            assert!(!is_waking_connection(name));
            let waking = waking_connection_name(primary, device);
            assert_eq!(whose_connection(&waking), (primary, device));
            assert!(is_waking_connection(&waking));
        }
    }
}
