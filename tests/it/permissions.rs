//! Who may say and hear what: every role of the mesh × every family of subjects × every verb, tried on the real broker.

mod roles;
mod subjects;

use std::collections::BTreeSet;
use std::fmt;

use kez_crypto::SecretKey;
use kez_service::random;
use tests::guest::{Credentials, Guest};
use tests::{Mesh, Owner};

use roles::{ROLES, Role};
use subjects::SUBJECTS;

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
                let expected = !allow(&rights, &subject);
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
    let wake = |signer| Credentials::to_wake(me.public(), signer);
    let (url, websocket) = (&mesh.plan.nats_url, &mesh.plan.nats_websocket_url);
    let (url, credentials) = match role.name {
        "registered, plain" => (url, plain),
        "registered, over WebSocket" => (websocket, session),
        "registered, on a device" => (url, device),
        "for waking" => (url, wake(me)),
        "for waking, on a device" => (url, wake(laptop)),
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

/// Whether one of the rights lets a subject pass, and none takes it away.
fn allow(rights: &[String], subject: &str) -> bool {
    let (denied, allowed): (Vec<&str>, Vec<&str>) =
        rights.iter().map(String::as_str).partition(|right| right.starts_with('!'));
    allowed.iter().any(|right| covers(right, subject))
        && !denied.iter().any(|right| covers(right.trim_start_matches('!'), subject))
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
