//! Cases about sessions: what they are good for, and what no use is.

use serde::Deserialize;

use super::{Outcome, Report, fault, same, same_error, secret_key};
use crate::{PublicKey, Purpose, Session, Timestamp};

#[derive(Deserialize)]
pub(super) struct Sessions {
    server: String,
    primary: PublicKey,
    session: PublicKey,
    nkey: String,
    created_at: String,
    expires_at: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    envelope: String,
    now: String,
    /// Whose hand it is in, where it is good.
    seed: Option<String>,
    device: Option<PublicKey>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    error: Option<String>,
}

pub(super) fn sessions(file: &Sessions, report: &mut Report) {
    for case in &file.cases {
        report.note(&case.name, session(file, case));
    }
}

fn session(file: &Sessions, case: &Case) -> Outcome {
    let now = Timestamp::parse(&case.now).map_err(fault)?;
    let checked = Session::check(case.envelope.as_bytes(), &file.server, &file.nkey, now);
    let Some(seed) = &case.seed else { return same_error(checked, case.error.as_deref()) };
    let checked = checked.map_err(fault)?;
    let purpose = if case.purpose.is_some() { Purpose::Wake } else { Purpose::Everything };
    same("purpose", &checked.purpose, &purpose)?;
    same("primary", &checked.primary, &file.primary)?;
    same("device", &checked.device, &case.device)?;
    let create = match purpose {
        Purpose::Everything => Session::create,
        Purpose::Wake => Session::create_to_wake,
    };
    let [from, to] = [checked.created_at, checked.expires_at];
    same("beginning", &from.to_string(), &file.created_at)?;
    same("end", &to.to_string(), &file.expires_at)?;
    let ours = create(file.primary, file.session, &file.server, from, to, &secret_key(seed)?);
    same("envelope", &String::from_utf8(ours), &Ok(case.envelope.clone()))
}
