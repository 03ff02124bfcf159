//! What a look at an account brings: texts in which a claim may stand, or why there are none.

use kez_contract::sigchain::Why;

/// What the account says, wherever it was looked for.
#[derive(Debug)]
pub struct Found {
    /// The place that was looked at, when nothing more exact is to be said.
    pub place: String,
    pub texts: Vec<Text>,
    /// A place that could not be read. Without a good claim elsewhere nothing is known.
    pub gap: Option<Unfound>,
}

/// One text of the account.
#[derive(Debug)]
pub struct Text {
    pub text: String,
    /// Where it stands.
    pub evidence: String,
    /// Whether a claim is all that should stand there, so that something else is a broken one.
    pub own: bool,
}

/// Why there is nothing to judge.
#[derive(Debug)]
pub struct Unfound {
    pub why: Why,
    /// The same for people.
    pub detail: String,
    /// Where it was looked for.
    pub evidence: String,
}

impl Found {
    /// Nothing so far, at this place.
    pub fn at(place: &(impl ToString + ?Sized)) -> Self {
        Self { place: place.to_string(), texts: Vec::new(), gap: None }
    }

    /// Adds a text in which people write what they like.
    pub fn add(&mut self, text: impl Into<String>, evidence: &(impl ToString + ?Sized)) {
        self.texts.push(Text { text: text.into(), evidence: evidence.to_string(), own: false });
    }

    /// Adds a text that is there for claims alone.
    pub fn add_own(&mut self, text: impl Into<String>, evidence: &(impl ToString + ?Sized)) {
        self.texts.push(Text { text: text.into(), evidence: evidence.to_string(), own: true });
    }
}

impl Unfound {
    pub fn new(why: Why, detail: impl Into<String>, evidence: &(impl ToString + ?Sized)) -> Self {
        Self { why, detail: detail.into(), evidence: evidence.to_string() }
    }

    /// There is no account of this name, and there cannot be one.
    pub fn no_account(detail: impl Into<String>, evidence: &(impl ToString + ?Sized)) -> Self {
        Self::new(Why::NoSuchAccount, detail, evidence)
    }

    /// An answer that is none.
    pub fn no_answer(detail: impl Into<String>, evidence: &(impl ToString + ?Sized)) -> Self {
        Self::new(Why::NoAnswer, detail, evidence)
    }
}
