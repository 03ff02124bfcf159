//! Every role of the mesh and all that it may do.

/// One role and everything it may do: the whole table. `{me}` and `{you}` are two registered people, and `{laptop}` is a
/// device of mine, 64 hex digits each. What begins with `!` is taken away from what the others give.
pub struct Role {
    pub name: &'static str,
    pub may_publish: &'static [&'static str],
    pub may_subscribe: &'static [&'static str],
}

const PERSON: [&[&str]; 2] =
    [&["kez.rpc.*.*.{me}.{me}"], &["kez.live.{me}", "kez.feed.>", "_INBOX_{me}_{me}.>"]];

pub const ROLES: [Role; 15] = [
    Role { name: "registered, by session", may_publish: PERSON[0], may_subscribe: PERSON[1] },
    Role { name: "registered, plain", may_publish: PERSON[0], may_subscribe: PERSON[1] },
    Role { name: "registered, over WebSocket", may_publish: PERSON[0], may_subscribe: PERSON[1] },
    Role {
        name: "registered, on a device",
        may_publish: &["kez.rpc.*.*.{me}.{laptop}"],
        may_subscribe: &["kez.live.{me}", "kez.feed.>", "_INBOX_{me}_{laptop}.>"],
    },
    Role {
        name: "for waking",
        may_publish: &["kez.rpc.inbox.fetch.{me}.{me}", "kez.rpc.registry.by-primary.{me}.{me}"],
        may_subscribe: &["_INBOX_{me}_{me}.>"],
    },
    Role {
        name: "for waking, on a device",
        may_publish: &["kez.rpc.inbox.fetch.{me}.{laptop}", "kez.rpc.registry.by-primary.{me}.{laptop}"],
        may_subscribe: &["_INBOX_{me}_{laptop}.>"],
    },
    Role {
        name: "unregistered",
        may_publish: &[
            "kez.rpc.registry.register.{me}.{me}",
            "kez.rpc.registry.lookup.{me}.{me}",
            "kez.rpc.registry.by-primary.{me}.{me}",
            "kez.rpc.registry.available.{me}.{me}",
            "kez.rpc.registry.profile.{me}.{me}",
            "kez.rpc.sigchain.head.{me}.{me}",
            "kez.rpc.sigchain.events.{me}.{me}",
            "kez.rpc.sigchain.claimants.{me}.{me}",
        ],
        may_subscribe: &["_INBOX_{me}_{me}.>"],
    },
    Role {
        name: "registry",
        may_publish: &["kez.feed.registry.*", "kez.svc.sigchain.standing", "_INBOX_registry.*"],
        may_subscribe: &[
            "kez.rpc.registry.>",
            "kez.web.registry.>",
            "kez.svc.registry.>",
            "kez.feed.registry.*",
            "$SRV.>",
            "_INBOX_registry.>",
        ],
    },
    Role {
        name: "inbox",
        may_publish: &[
            "kez.inbox.*.*",
            "kez.cursor.*.*",
            "kez.svc.registry.resolve",
            "kez.svc.sigchain.standing",
            "$JS.API.STREAM.CREATE.*",
            "$JS.API.STREAM.UPDATE.*",
            "$JS.API.STREAM.INFO.*",
            "$JS.API.STREAM.NAMES",
            "$JS.API.STREAM.PURGE.*",
            "$JS.API.DIRECT.GET.*",
            "$JS.API.DIRECT.GET.*.>",
            "$JS.API.CONSUMER.CREATE.*.push",
            "!$JS.API.*.*.KEZ_SIGCHAIN",
            "!$JS.API.*.*.KEZ_SIGCHAIN.>",
            "_INBOX_inbox.*",
        ],
        may_subscribe: &[
            "kez.rpc.inbox.>",
            "kez.web.inbox.>",
            "kez.feed.registry.*",
            "$SRV.>",
            "_INBOX_inbox.>",
        ],
    },
    Role {
        name: "sigchain",
        may_publish: &[
            "kez.sigchain.*.*",
            "$JS.API.STREAM.CREATE.KEZ_SIGCHAIN",
            "$JS.API.STREAM.UPDATE.KEZ_SIGCHAIN",
            "$JS.API.DIRECT.GET.KEZ_SIGCHAIN",
            "_INBOX_sigchain.*",
        ],
        may_subscribe: &[
            "kez.rpc.sigchain.>",
            "kez.web.sigchain.>",
            "kez.svc.sigchain.>",
            "kez.feed.sigchain.*.*",
            "$SRV.>",
            "_INBOX_sigchain.>",
        ],
    },
    Role {
        name: "push",
        may_publish: &[
            "kez.svc.registry.resolve",
            "kez.edge.connections",
            "$JS.API.STREAM.NAMES",
            "$JS.API.CONSUMER.INFO.*.push",
            "$JS.API.CONSUMER.MSG.NEXT.*.push",
            "$JS.ACK.*.push.>",
            "_INBOX_push.*",
        ],
        may_subscribe: &[
            "kez.rpc.push.>",
            "kez.web.push.>",
            "kez.edge.connected",
            "kez.edge.disconnected",
            "kez.feed.registry.*",
            "$SRV.>",
            "_INBOX_push.>",
        ],
    },
    Role {
        name: "gateway",
        may_publish: &["kez.web.*.*", "$SRV.PING", "$SRV.STATS", "kez.auth.$SRV.PING", "kez.auth.$SRV.STATS"],
        may_subscribe: &["kez.live.*", "_INBOX_gateway.>"],
    },
    Role {
        name: "auth-callout",
        may_publish: &[
            "kez.svc.registry.resolve",
            "kez.svc.sigchain.standing",
            "kez.edge.connections",
            "kez.edge.kick.*",
            "_INBOX_auth-callout.*",
        ],
        may_subscribe: &[
            "$SYS.REQ.USER.AUTH",
            "$SRV.>",
            "kez.feed.registry.*",
            "kez.feed.sigchain.*.*",
            "_INBOX_auth-callout.>",
        ],
    },
    Role {
        name: "operator",
        may_publish: &["$SRV.>", "kez.auth.$SRV.>"],
        may_subscribe: &["_INBOX_operator.>"],
    },
    Role { name: "sys", may_publish: &[">"], may_subscribe: &[">"] },
];
