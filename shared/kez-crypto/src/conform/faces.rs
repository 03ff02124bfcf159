//! Cases about what people look like: identicons, the keyed shuffle, and the pictures of profiles.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Outcome, Report, bytes, fault, same, same_error, secret_key};
use crate::picture::{MAX_CIPHERTEXT, MAX_PREVIEW};
use crate::visual::{self, Words};
use crate::{Body, Fault, Identicon, Picture, PictureKey, Primary, PublicKey, open_picture, seal_picture};

#[derive(Deserialize)]
pub(super) struct Identicons {
    ground_and_cell_of_hue: Vec<String>,
    cases: Vec<IdenticonCase>,
}

#[derive(Deserialize)]
struct IdenticonCase {
    name: String,
    primary: Primary,
    hue: u16,
    ground: String,
    cell: String,
    rows: Vec<String>,
    rgb_sha256: BTreeMap<u16, String>,
}

pub(super) fn identicons(file: &Identicons, report: &mut Report) {
    for (hue, expected) in (0..).zip(&file.ground_and_cell_of_hue) {
        let identicon = Identicon { hue, rows: Default::default() };
        let colours = format!("{} {}", colour(identicon.ground()), colour(identicon.cell()));
        report.note(&format!("hue {hue}"), same("colours", &&colours, &expected));
    }
    for case in &file.cases {
        report.note(&case.name, identicon(case));
    }
}

fn identicon(case: &IdenticonCase) -> Outcome {
    let identicon = Identicon::of(&case.primary);
    let rows = identicon.rows.map(|row| row.map(|is_filled| if is_filled { '#' } else { '.' }));
    same("hue", &identicon.hue, &case.hue)?;
    same("rows", &rows.map(String::from_iter).to_vec(), &case.rows)?;
    same("ground", &colour(identicon.ground()), &case.ground)?;
    same("cell", &colour(identicon.cell()), &case.cell)?;
    for (size, expected) in &case.rgb_sha256 {
        same(&format!("picture of {size} pixels"), &&sha256(&identicon.rgb(*size)), &expected)?;
    }
    Ok(())
}

fn colour(channels: [u8; 3]) -> String {
    format!("#{}", HEXLOWER.encode(&channels))
}

#[derive(Deserialize)]
pub(super) struct Visual {
    permutations_of: Vec<u16>,
    cases: Vec<VisualCase>,
}

#[derive(Deserialize)]
struct VisualCase {
    name: String,
    key: String,
    salt: String,
    shuffle_key: String,
    words: Vec<u32>,
    permutations: Vec<Vec<u16>>,
    permutation_4096: Permutation,
    shuffled_sha256: String,
}

#[derive(Deserialize)]
struct Permutation {
    first: Vec<u16>,
    sha256_of_u16be: String,
}

pub(super) fn shuffles(file: &Visual, report: &mut Report) {
    for case in &file.cases {
        report.note(&case.name, shuffle(case, &file.permutations_of));
    }
}

fn shuffle(case: &VisualCase, counts: &[u16]) -> Outcome {
    let key = PictureKey::parse(&case.key).map_err(fault)?;
    let salt = salt(&case.salt)?;
    let shuffle_key = visual::shuffle_key(&key, &salt);
    same("shuffle key", &shuffle_key, &bytes(&case.shuffle_key)?)?;
    let mut words = Words::new(shuffle_key);
    same("words", &case.words.iter().map(|_| words.next_word()).collect(), &case.words)?;
    let orders = counts.iter().map(|count| visual::order(&key, &salt, *count)).collect();
    same("short permutations", &orders, &case.permutations)?;
    let order = visual::order(&key, &salt, 4096);
    let first = order.iter().copied().take(case.permutation_4096.first.len()).collect();
    same("start of the permutation", &first, &case.permutation_4096.first)?;
    let order: Vec<u8> = order.into_iter().flat_map(u16::to_be_bytes).collect();
    same("permutation", &sha256(&order), &case.permutation_4096.sha256_of_u16be)?;
    let picture: Vec<[u8; 3]> =
        (0..4096u32).map(|p| [p, p >> 8, 7 * p].map(|channel| channel.to_le_bytes()[0])).collect();
    let shuffled = visual::shuffle(&picture, &key, &salt);
    same("shuffled picture", &sha256(shuffled.as_flattened()), &case.shuffled_sha256)?;
    same("picture put back", &visual::unshuffle(&shuffled, &key, &salt), &picture)
}

fn salt(text: &str) -> Result<[u8; 16], String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|error| format!("the vector's salt: {error}"))?;
    bytes.try_into().map_err(|_| "the vector's salt is not 16 bytes long".into())
}

#[derive(Deserialize)]
pub(super) struct Pictures {
    valid: Vec<ValidPicture>,
    refused_changes_of: String,
    refused: Vec<RefusedPicture>,
    not_opened: Vec<NotOpened>,
    own_refused: Vec<OwnRefused>,
    body: Value,
    bodies_refused: Vec<RefusedBody>,
}

#[derive(Deserialize)]
struct ValidPicture {
    name: String,
    seed: String,
    primary: PublicKey,
    key: String,
    bytes: String,
    picture: String,
    salt: Option<String>,
    member: Value,
}

/// What is refused: a whole member, or changes of one that is not.
#[derive(Deserialize)]
struct RefusedPicture {
    name: String,
    member: Option<Value>,
    #[serde(default)]
    with: Map<String, Value>,
    #[serde(default)]
    without: Vec<String>,
    error: String,
}

#[derive(Deserialize)]
struct NotOpened {
    name: String,
    primary: PublicKey,
    key: String,
    member: Value,
    error: String,
}

#[derive(Deserialize)]
struct OwnRefused {
    name: String,
    seed: String,
    member: Value,
    error: String,
}

#[derive(Deserialize)]
struct RefusedBody {
    name: String,
    body: Value,
}

pub(super) fn pictures(file: &Pictures, report: &mut Report) {
    for case in &file.valid {
        report.note(&case.name, picture(case));
    }
    let whole = file.valid.iter().find(|case| case.name == file.refused_changes_of);
    let whole = whole.and_then(|case| case.member.as_object()).cloned().unwrap_or_default();
    report.note("the picture that is changed", same_error(read(&whole.clone().into()), None));
    for case in &file.refused {
        let member = case.member.clone().unwrap_or_else(|| {
            let mut member = whole.clone();
            member.retain(|name, _| !case.without.contains(name));
            member.extend(case.with.clone());
            Value::Object(member)
        });
        report.note(&case.name, same_error(read(&member), Some(&case.error)));
    }
    for (name, error, change) in lengths() {
        let member = whole.clone().into_iter().chain([change]).collect();
        report.note(name, same_error(read(&Value::Object(member)), error));
    }
    for case in &file.not_opened {
        let opened = PictureKey::parse(&case.key)
            .and_then(|key| open_picture(&Picture::from_value(&case.member)?, &case.primary, &key));
        report.note(&case.name, same_error(opened, Some(&case.error)));
    }
    for case in &file.own_refused {
        let opened =
            secret_key(&case.seed).and_then(|me| same_error(own_key(&case.member, &me), Some(&case.error)));
        report.note(&case.name, opened);
    }
    let body = Body::from_value(&file.body).map_err(fault);
    report.note("body", body.and_then(|body| same("body", &body.to_value(), &file.body)));
    for case in &file.bodies_refused {
        report.note(&case.name, same_error(Body::from_value(&case.body), Some(Fault::Malformed.code())));
    }
}

fn read(member: &Value) -> Result<Picture, Fault> {
    Picture::from_value(member)
}

fn own_key(member: &Value, me: &crate::SecretKey) -> Result<PictureKey, Fault> {
    Picture::from_value(member)?.own_key(me)
}

fn picture(case: &ValidPicture) -> Outcome {
    let picture = Picture::from_value(&case.member).map_err(fault)?;
    let key = PictureKey::parse(&case.key).map_err(fault)?;
    same("member", &picture.to_value(), &case.member)?;
    same("hash", &HEXLOWER.encode(&picture.hash()), &case.picture)?;
    let opened = open_picture(&picture, &case.primary, &key).map_err(fault)?;
    same("picture", &HEXLOWER.encode(&opened), &case.bytes)?;
    same(
        "sealed again",
        &seal_picture(&opened, &case.primary, &key, picture.nonce),
        &Ok(picture.ct.clone()),
    )?;
    let preview = picture.preview.as_ref().map(|preview| URL_SAFE_NO_PAD.encode(preview.salt));
    same("salt", &preview, &case.salt)?;
    let own = picture.own_key(&secret_key(&case.seed)?).map_err(fault)?;
    same("own key", &own, &key)
}

/// The longest members, which a file need not hold: what is longer is too large, whatever else it is.
fn lengths() -> [(&'static str, Option<&'static str>, (String, Value)); 4] {
    let ct = |bytes: usize| ("ct".to_owned(), Value::String(URL_SAFE_NO_PAD.encode(vec![0; bytes])));
    let preview = |length: usize| ("preview".to_owned(), Value::String("x".repeat(length)));
    [
        ("the longest ciphertext", None, ct(MAX_CIPHERTEXT)),
        ("a ciphertext of a byte more", Some("too_large"), ct(MAX_CIPHERTEXT + 1)),
        ("a text as long as the longest preview", Some("malformed"), preview(MAX_PREVIEW)),
        ("a text that is longer", Some("too_large"), preview(MAX_PREVIEW + 1)),
    ]
}

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}
