//! Where each channel looks for a claim, and how it is written there (protocol, section 7).

use clap::ValueEnum;
use kez_crypto::{Identifier, encoding};

/// How a claim is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// The signed envelope itself
    Json,
    /// kez:z1:… in one word
    Compact,
    /// A fenced block for READMEs and gists
    Markdown,
    /// The compact form in quoted pieces, as TXT records have it
    Txt,
}

impl Form {
    /// What the channel of an account is used to.
    pub fn of(subject: &Identifier) -> Self {
        match subject.system() {
            "web" => Self::Json,
            "github" => Self::Markdown,
            "dns" => Self::Txt,
            _ => Self::Compact,
        }
    }

    pub fn write(self, claim: &[u8]) -> String {
        match self {
            Self::Json => String::from_utf8_lossy(claim).into_owned(),
            Self::Compact => encoding::compact(claim),
            Self::Markdown => encoding::markdown(claim).trim_end().to_owned(),
            Self::Txt => {
                let pieces = encoding::txt_pieces(&encoding::compact(claim));
                pieces.iter().map(|piece| format!("\"{piece}\"")).collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// What to do so that the account says whose it is; none for accounts that nobody can check.
pub fn steps(subject: &Identifier, claim: &[u8]) -> Option<String> {
    let (name, text) = (subject.name(), Form::of(subject).write(claim));
    let place = match subject.system() {
        "dns" => format!(
            "1. Where {name} has its DNS records, add one:\n\n   name   _kez.{name}\n   type   TXT\n   value  {text}\n\n   A form that \
             takes one text takes the pieces without their quotes and without the space between them.\n2. Wait until it \
             shows: dig +short TXT _kez.{name}"
        ),
        "web" => {
            let base = name.trim_end_matches('/');
            format!(
                "1. Put this line into the file that is served at {base}/.well-known/kez.json, over https and without a \
                 redirect to another host:\n\n{text}\n\n2. Look: curl {base}/.well-known/kez.json"
            )
        }
        "github" => format!(
            "1. As {name}, make a public gist (https://gist.github.com) with a file named kez.md that holds these lines, or \
             put them into the README of the repository {name}/{name}:\n\n{text}\n"
        ),
        "nostr" => format!(
            "1. As {name}, put this word into the \"about\" of your profile, or publish a note that holds it:\n\n{text}\n"
        ),
        "bluesky" => format!(
            "1. As {name}, post a picture and give it this word as its description (ALT), for it is longer than a \
             post:\n\n{text}\n"
        ),
        "ap" => format!(
            "1. As {name}, put this word into the text about you in your profile, for which Mastodon has room for 500 \
             characters:\n\n{text}\n"
        ),
        _ => return None,
    };
    let last = if matches!(subject.system(), "dns" | "web") { 3 } else { 2 };
    Some(format!(
        "{place}\n{last}. Say the same in your sigchain, unless it does: kez claim add {subject}\n{}. Check: kez claim check \
         {subject}",
        last + 1
    ))
}

#[cfg(test)]
mod tests {
    use kez_crypto::{Claim, Primary, SecretKey, Timestamp};

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

    fn claim(subject: &Identifier) -> Vec<u8> {
        Claim::create(subject, NOW, None, &SecretKey::from_seed([1; 32]))
    }

    #[test]
    fn what_is_to_be_pasted_is_found_again() {
        let npub = "nostr:npub180cvv07tjdrrgpa0j7j7tmnyl2yr6yr7l8j4s3evf6u64th6gkwsyjh6w6";
        for text in [
            "dns:alice.example",
            "web:https://alice.example",
            "github:alice",
            npub,
            "bluesky:alice.bsky.social",
            "ap:alice@social.example",
        ] {
            let subject = Identifier::parse(text).unwrap();
            let steps = steps(&subject, &claim(&subject)).unwrap();
            // Who reads a zone's pieces reads them as if they stood together.
            let found = encoding::find(
                &steps.replace("\" \"", "").replace('"', if text.starts_with("dns") { " " } else { "\"" }),
            );
            let found: Vec<Vec<u8>> = found.into_iter().map(Result::unwrap).collect();
            assert_eq!(found.len(), 1, "{steps}");
            let primary = Primary::from(SecretKey::from_seed([1; 32]).public());
            Claim::parse(&found[0]).unwrap().check(&subject, &primary, NOW).unwrap();
        }
        let subject = Identifier::parse("ap:somebody@social.example").unwrap();
        assert!(Form::Compact.write(&claim(&subject)).len() <= 500, "Mastodon takes it");
        assert!(steps(&Identifier::parse("matrix:@a:b.example").unwrap(), b"").is_none());
    }

    #[test]
    fn every_form_holds_the_claim() {
        let subject = Identifier::parse("github:alice").unwrap();
        let claim = claim(&subject);
        for form in [Form::Json, Form::Compact, Form::Markdown] {
            assert_eq!(encoding::decode(&form.write(&claim)).unwrap(), claim);
        }
        let pieces = Form::Txt.write(&claim);
        assert!(pieces.starts_with("\"kez:z1:") && pieces.split(' ').all(|piece| piece.len() <= 257));
        assert_eq!(encoding::decode(&pieces.replace(['"', ' '], "")).unwrap(), claim);
    }
}
