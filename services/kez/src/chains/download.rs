//! A chain fetched page by page, each page verified while the next one is on its way.

use kez_contract::sigchain::{EventPage, Head};
use kez_contract::{Code, Problem};
use tokio::task::{JoinError, spawn_blocking};

use super::{ChainFault, Verified};

/// Events a page: few enough that verifying and fetching go side by side.
pub const PAGE: u32 = 250;

/// Fetches what comes after `verified`; `ask` fetches the page that begins with the event of a number.
pub async fn download<Page: Future<Output = Result<EventPage, Problem>>>(
    mut verified: Verified,
    ask: impl Fn(u64) -> Page,
) -> Result<Verified, ChainFault> {
    let mut since = verified.length();
    let mut page = ask(since).await?;
    loop {
        since += page.events.len() as u64;
        if page.events.len() > PAGE as usize || page.more && page.events.is_empty() {
            return Err(Problem::new(Code::Internal, "the server answered with a page that cannot be").into());
        }
        let (more, head) = (page.more, page.head);
        let verifying = spawn_blocking(move || verified.extend(page.events).map(|()| verified));
        if !more {
            let verified = done(verifying.await)?;
            return notice(&verified, head.as_ref()).map(|()| verified);
        }
        let (next, verifying) = tokio::join!(ask(since), verifying);
        verified = done(verifying)?;
        page = next?;
    }
}

/// Refuses a chain that the server itself says ends elsewhere, or otherwise.
fn notice(verified: &Verified, end: Option<&Head>) -> Result<(), ChainFault> {
    let (primary, length) = (verified.primary(), verified.length());
    match (verified.head(), end) {
        (None, None) => Ok(()),
        (Some(Head { seq: remembered, .. }), None) => {
            Err(ChainFault::RolledBack { primary, length: 0, remembered })
        }
        (_, Some(end)) if end.seq >= length => {
            Err(ChainFault::Withheld { primary, length, announced: end.seq })
        }
        (Some(Head { seq, .. }), Some(end)) if end.seq < seq => {
            Err(ChainFault::RolledBack { primary, length: end.seq + 1, remembered: seq })
        }
        (Some(Head { seq, head }), Some(end)) if end.head != head => Err(ChainFault::Forked { primary, seq }),
        (_, Some(_)) => Ok(()),
    }
}

fn done(verified: Result<Result<Verified, ChainFault>, JoinError>) -> Result<Verified, ChainFault> {
    verified.map_err(|_| Problem::new(Code::Internal, "verifying was broken off"))?
}

#[cfg(test)]
mod tests {
    use kez_contract::Document;
    use kez_crypto::Fault;

    use super::super::tests::{alice, claiming};
    use super::*;

    /// A server that has these events and shows so many of them at a time.
    fn page(events: &[Document], since: u64, size: usize) -> EventPage {
        let rest = events.get(usize::try_from(since).unwrap()..).unwrap_or_default();
        let shown = rest.get(..size).unwrap_or(rest);
        let head = Verified::of(alice().public(), events.to_vec()).ok().and_then(|whole| whole.head());
        EventPage { events: shown.to_vec(), head, more: rest.len() > shown.len() }
    }

    #[tokio::test]
    async fn pages_become_one_chain() {
        let whole = claiming(&["a", "b", "c", "d", "e"]);
        for size in 1..=6 {
            let ask = async |since| Ok(page(whole.events(), since, size));
            let downloaded = download(Verified::new(alice().public()), ask).await.unwrap();
            assert_eq!(downloaded.heads(), whole.heads());
            let begun = Verified::of(alice().public(), whole.events()[..2].to_vec()).unwrap();
            assert_eq!(download(begun, ask).await.unwrap().heads(), whole.heads());
        }
    }

    #[tokio::test]
    async fn a_broken_event_on_a_later_page_is_named() {
        let mut events = claiming(&["a", "b", "c", "d"]).events().to_vec();
        events.swap(2, 3);
        let ask = async |since| Ok(page(&events, since, 2));
        let broken = download(Verified::new(alice().public()), ask).await.unwrap_err();
        assert_eq!(broken, ChainFault::Broken { seq: 2, fault: Fault::WrongSeq });
    }

    #[tokio::test]
    async fn a_server_that_has_less_than_is_here_is_noticed() {
        let whole = claiming(&["a", "b", "c"]);
        for (events, code) in
            [(&["a", "b"][..], "rolled_back"), (&[], "rolled_back"), (&["a", "b", "d"], "forked")]
        {
            let theirs = claiming(events);
            let ask = async |since| Ok(page(theirs.events(), since, 10));
            assert_eq!(download(whole.clone(), ask).await.unwrap_err().code(), code);
        }
    }

    #[tokio::test]
    async fn a_server_that_shows_less_than_it_says_it_has_is_noticed() {
        let whole = claiming(&["a", "b", "c"]);
        let ask = async |since| Ok(EventPage { head: whole.head(), ..page(&whole.events()[..2], since, 10) });
        let withheld = download(Verified::new(alice().public()), ask).await.unwrap_err();
        let primary = whole.primary();
        assert_eq!(withheld, ChainFault::Withheld { primary, length: 2, announced: 2 });
    }

    #[tokio::test]
    async fn a_server_cannot_keep_a_reader_busy_for_ever() {
        let ask = async |_| Ok(EventPage { events: Vec::new(), head: None, more: true });
        let refused = download(Verified::new(alice().public()), ask).await.unwrap_err();
        assert_eq!(refused.code(), "internal");
    }
}
