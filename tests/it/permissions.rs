//! Who may say and hear what: every role of the mesh × every family of subjects × every verb, tried on the real broker.

use std::collections::BTreeSet;
use std::fmt;

use kez_crypto::SecretKey;
use kez_service::random;
use tests::guest::{Credentials, Guest};
use tests::{Mesh, Owner};

/// One role and everything it may do: the whole table. `{me}` and `{you}` are two registered people, and `{laptop}` is a
/// device of mine, 64 hex digits each.
struct Role {
    name: &'static str,
    may_publish: &'static [&'static str],
    may_subscribe: &'static [&'static str],
}

const PERSON: [&[&str]; 2] =
    [&["kez.rpc.*.*.{me}.{me}"], &["kez.live.{me}", "kez.feed.>", "_INBOX_{me}_{me}.>"]];

const ROLES: [Role; 12] = [
    Role { name: "registered, by session", may_publish: PERSON[0], may_subscribe: PERSON[1] },
    Role { name: "registered, plain", may_publish: PERSON[0], may_subscribe: PERSON[1] },
    Role { name: "registered, over WebSocket", may_publish: PERSON[0], may_subscribe: PERSON[1] },
    Role {
        name: "registered, on a device",
        may_publish: &["kez.rpc.*.*.{me}.{laptop}"],
        may_subscribe: &["kez.live.{me}", "kez.feed.>", "_INBOX_{me}_{laptop}.>"],
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
            "$JS.API.STREAM.CREATE.*",
            "$JS.API.STREAM.UPDATE.*",
            "$JS.API.STREAM.INFO.*",
            "$JS.API.STREAM.NAMES",
            "$JS.API.STREAM.PURGE.*",
            "$JS.API.DIRECT.GET.*",
            "$JS.API.DIRECT.GET.*.>",
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

/// What is tried by each role. Most of it is nobody's.
const SUBJECTS: &[&str] = &[
    // My own calls, of services that run and of some that do not yet
    "kez.rpc.registry.register.{me}.{me}",
    "kez.rpc.registry.lookup.{me}.{me}",
    "kez.rpc.registry.by-primary.{me}.{me}",
    "kez.rpc.registry.available.{me}.{me}",
    "kez.rpc.registry.profile.{me}.{me}",
    "kez.rpc.registry.put-profile.{me}.{me}",
    "kez.rpc.registry.put-proofs.{me}.{me}",
    "kez.rpc.inbox.send.{me}.{me}",
    "kez.rpc.inbox.fetch.{me}.{me}",
    "kez.rpc.inbox.ack.{me}.{me}",
    "kez.rpc.sigchain.append.{me}.{me}",
    "kez.rpc.sigchain.head.{me}.{me}",
    "kez.rpc.sigchain.events.{me}.{me}",
    "kez.rpc.sigchain.claimants.{me}.{me}",
    "kez.rpc.sigchain.verify.{me}.{me}",
    "kez.rpc.push.subscribe.{me}.{me}",
    // The same on a device
    "kez.rpc.registry.register.{me}.{laptop}",
    "kez.rpc.inbox.send.{me}.{laptop}",
    "kez.rpc.sigchain.append.{me}.{laptop}",
    "kez.rpc.inbox.fetch.{laptop}.{laptop}",
    // The same in another's name, or from a device that is not mine
    "kez.rpc.sigchain.append.{you}.{you}",
    "kez.rpc.inbox.fetch.{you}.{laptop}",
    "kez.rpc.registry.register.{you}.{you}",
    "kez.rpc.registry.lookup.{you}.{you}",
    "kez.rpc.registry.put-profile.{you}.{you}",
    "kez.rpc.inbox.send.{you}.{you}",
    "kez.rpc.inbox.fetch.{you}.{you}",
    "kez.rpc.inbox.fetch.{me}.{you}",
    "kez.rpc.inbox.fetch.{you}.{me}",
    "kez.rpc.inbox.ack.{you}.{you}",
    "kez.rpc.inbox.fetch.{me}",
    "kez.rpc.inbox.fetch.{me}.{me}.{me}",
    "kez.rpc.inbox.{me}.{me}",
    "kez.rpc.inbox.fetch.*.*",
    // What only the gateway, or only services, say
    "kez.web.registry.register",
    "kez.web.inbox.send",
    "kez.web.inbox.fetch",
    "kez.web.inbox.resume-stream",
    "kez.web.inbox.send.{me}.{me}",
    "kez.svc.registry.resolve",
    "kez.svc.registry.forget",
    "kez.web.sigchain.append",
    "kez.svc.sigchain.standing",
    // Mailboxes and cursors as they are stored
    "kez.inbox.00.{me}",
    "kez.inbox.00.{you}",
    "kez.inbox.00.*",
    "kez.inbox.00",
    "kez.cursor.{me}.{me}",
    "kez.cursor.{you}.{you}",
    "kez.cursor.*.*",
    // Chains as they are stored
    "kez.sigchain.ed25519.{me}",
    "kez.sigchain.ed25519.{you}",
    "kez.sigchain.*.*",
    // Live mail, public facts, and where the steered ones end
    "kez.live.{me}",
    "kez.live.{you}",
    "kez.live.*",
    "kez.live.{me}.more",
    "kez.feed.registry.{me}",
    "kez.feed.registry.{you}",
    "kez.feed.registry.*",
    "kez.feed.sigchain.ed25519.{me}",
    "kez.feed.sigchain.ed25519.{you}",
    "kez.feed.sigchain.*.*",
    "kez.live.{laptop}",
    "kez.nowhere",
    "kez.nowhere.registry.{you}",
    // Replies
    "_INBOX_{me}_{me}.x",
    "_INBOX_{me}_{me}.x.1",
    "_INBOX_{me}_{me}",
    "_INBOX_{you}_{you}.x",
    "_INBOX_{me}_{you}.x",
    "_INBOX_{me}_{laptop}.x",
    "_INBOX_sigchain.x",
    "_INBOX.x",
    "_INBOX_registry.x",
    "_INBOX_inbox.x",
    "_INBOX_gateway.x",
    "_INBOX_operator.x",
    "_INBOX_auth-callout.x",
    // Streams
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.INFO.KEZ_INBOX_0",
    "$JS.API.STREAM.CREATE.MINE",
    "$JS.API.STREAM.UPDATE.KEZ_INBOX_0",
    "$JS.API.STREAM.DELETE.KEZ_INBOX_0",
    "$JS.API.STREAM.PURGE.KEZ_CURSOR",
    "$JS.API.STREAM.MSG.GET.KEZ_INBOX_0",
    "$JS.API.STREAM.MSG.DELETE.KEZ_INBOX_0",
    "$JS.API.STREAM.SNAPSHOT.KEZ_INBOX_0",
    "$JS.API.DIRECT.GET.KEZ_INBOX_0",
    "$JS.API.DIRECT.GET.KEZ_INBOX_0.kez.inbox.00.{you}",
    "$JS.API.CONSUMER.CREATE.KEZ_INBOX_0",
    "$JS.API.CONSUMER.CREATE.KEZ_INBOX_0.mine.kez.inbox.00.{you}",
    "$JS.API.CONSUMER.MSG.NEXT.KEZ_INBOX_0.mine",
    "$JS.API.STREAM.CREATE.KEZ_SIGCHAIN",
    "$JS.API.STREAM.UPDATE.KEZ_SIGCHAIN",
    "$JS.API.STREAM.DELETE.KEZ_SIGCHAIN",
    "$JS.API.STREAM.PURGE.KEZ_SIGCHAIN",
    "$JS.API.STREAM.MSG.DELETE.KEZ_SIGCHAIN",
    "$JS.API.DIRECT.GET.KEZ_SIGCHAIN",
    "$JS.ACK.KEZ_INBOX_0.mine.1.1.1.1.0",
    "$JS.EVENT.ADVISORY.>",
    // Which services run, and the broker's own
    "$SRV.PING",
    "$SRV.STATS",
    "$SRV.INFO.inbox",
    "$SRV.>",
    "kez.auth.$SRV.PING",
    "kez.auth.$SRV.INFO",
    "$SYS.REQ.USER.AUTH",
    "$SYS.REQ.USER.INFO",
    "$SYS.REQ.SERVER.PING.CONNZ",
    "$SYS.REQ.ACCOUNT.PING.CONNZ",
    "$SYS.REQ.ACCOUNT.EDGE.CONNZ",
    "$SYS.REQ.SERVER.{server}.CONNZ",
    // Who is connected, and ending connections: the callout's alone, and under these names
    "$SYS.REQ.SERVER.{server}.KICK",
    "$SYS.REQ.SERVER.*.KICK",
    "kez.edge.connections",
    "kez.edge.kick.{server}",
    "kez.edge.kick",
    "kez.edge.>",
    "$SYS.ACCOUNT.EDGE.CONNECT",
    "$SYS.>",
    // Everything
    ">",
    "*.>",
    "kez.>",
    "kez.*.>",
    "kez.rpc.>",
    "kez.rpc.*.*.*.*",
    "kez.live.>",
    "kez.feed.>",
    "_INBOX.>",
    "_INBOX_registry.>",
    "_INBOX_{me}_{me}.>",
    "_INBOX_{you}_{you}.>",
    "$JS.>",
    "$JS.API.>",
];

#[derive(Clone, Copy, PartialEq)]
enum Verb {
    Publish,
    Request,
    Subscribe,
    QueueSubscribe,
}

const VERBS: [Verb; 4] = [Verb::Publish, Verb::Request, Verb::Subscribe, Verb::QueueSubscribe];

#[tokio::test]
async fn every_role_may_do_what_the_table_says_and_nothing_else() {
    let mesh = Mesh::start().await;
    let (alice, [laptop]) = Owner::enter(&mesh, "alice", ["laptop"]).await;
    let (alice, bob) = (alice.person, mesh.person("bob").await);
    let server = alice.client.nats().server_info().server_id;
    let stranger = SecretKey::from_seed(random::bytes());
    let (mut cases, mut refused, mut wrong) = (0, 0, Vec::new());
    for role in &ROLES {
        let me = if role.name == "unregistered" { &stranger } else { &alice.secret };
        let mut guest = enter(&mesh, role, me, &laptop).await;
        let names = |text: &str| {
            text.replace("{me}", &me.public().to_hex())
                .replace("{you}", &bob.hex())
                .replace("{laptop}", &laptop.public().to_hex())
                .replace("{server}", &server)
        };
        for verb in VERBS {
            let rights = if verb.speaks() { role.may_publish } else { role.may_subscribe };
            let rights: Vec<String> = rights.iter().map(|right| names(right)).collect();
            for subject in SUBJECTS.iter().map(|subject| names(subject)) {
                let expected = !rights.iter().any(|right| covers(right, &subject));
                let observed = is_refused(&mut guest, verb, &subject).await;
                cases += 1;
                refused += usize::from(observed);
                if observed != expected {
                    let verdict = if observed { "is refused" } else { "is let through" };
                    wrong.push(format!("{}: {verb} {subject} {verdict}", role.name));
                }
            }
        }
    }
    println!("{cases} cases: {refused} refused, {} let through", cases - refused);
    assert!(wrong.is_empty(), "{} of {cases} are not as the table says:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases > 300 && refused > 300, "{cases}");
}

async fn enter(mesh: &Mesh, role: &Role, me: &SecretKey, laptop: &SecretKey) -> Guest {
    let (plain, session) = (Credentials::plain(me), Credentials::fresh_session(me));
    let device = Credentials::on_device(me.public(), laptop);
    let (url, websocket) = (&mesh.plan.nats_url, &mesh.plan.nats_websocket_url);
    let (url, credentials) = match role.name {
        "registered, plain" => (url, plain),
        "registered, over WebSocket" => (websocket, session),
        "registered, on a device" => (url, device),
        "registered, by session" | "unregistered" => (url, session),
        service => return Guest::user(mesh, service).await,
    };
    Guest::enter(url, me.public(), credentials).await.unwrap()
}

/// Does it, and says whether the broker objects.
async fn is_refused(guest: &mut Guest, verb: Verb, subject: &str) -> bool {
    let (nats, subject) = (guest.nats.clone(), subject.to_owned());
    let mut heard = None;
    match verb {
        Verb::Publish => nats.publish(subject, "".into()).await.unwrap(),
        Verb::Request => nats.publish_with_reply(subject, nats.new_inbox(), "".into()).await.unwrap(),
        Verb::Subscribe => heard = Some(nats.subscribe(subject).await.unwrap()),
        Verb::QueueSubscribe => heard = Some(nats.queue_subscribe(subject, "q".to_owned()).await.unwrap()),
    }
    let refusals = guest.refusals().await;
    drop(heard);
    let kind = if verb.speaks() { "Publish" } else { "Subscription" };
    let wanted = format!("nats: Permissions Violation for {kind} to ");
    assert!(
        refusals.iter().all(|refusal| refusal.starts_with(&wanted)) && refusals.len() <= 1,
        "{refusals:?}"
    );
    !refusals.is_empty()
}

/// Whether a right lets a subject pass. A wildcard at the end of what is asked for counts as a token here, as it does for
/// the broker: `kez.live.*` lets `kez.live.>` pass.
fn covers(right: &str, subject: &str) -> bool {
    let mut subject = subject.split('.');
    for wanted in right.split('.') {
        match (wanted, subject.next()) {
            (_, None) => return false,
            (">", Some(_)) => return true,
            (wanted, Some(token)) if wanted != "*" && wanted != token => return false,
            _ => {}
        }
    }
    subject.next().is_none()
}

impl Verb {
    fn speaks(self) -> bool {
        matches!(self, Self::Publish | Self::Request)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Publish => "publish",
            Self::Request => "request",
            Self::Subscribe => "subscribe",
            Self::QueueSubscribe => "queue subscribe",
        })
    }
}

#[test]
fn no_case_is_counted_twice() {
    let unique: BTreeSet<_> = SUBJECTS.iter().collect();
    assert_eq!(unique.len(), SUBJECTS.len());
}
