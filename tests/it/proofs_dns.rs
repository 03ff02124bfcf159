//! A domain says whose it is: text records on a real name server.

use hickory_server::proto::rr::RData;
use hickory_server::proto::rr::RecordType::{A, TXT};
use hickory_server::proto::rr::rdata::CNAME;
use kez_contract::sigchain::Why;
use kez_crypto::Claim;
use kez_crypto::encoding::{compact, txt_pieces};
use tests::accounts::claimant::NOW;
use tests::accounts::{Accounts, Claimant, HERE, Reply};

const RECORD: &str = "_kez.kez.test";

#[tokio::test]
async fn a_domain_holds_a_claim() {
    let (accounts, alice) = (Accounts::start().await, Claimant::of("dns:kez.test"));
    let checker = accounts.checker();
    alice
        .sees_all_judged(&checker, |claim| {
            let reply = claim.map_or(Reply::Nothing, |claim| Reply::texts([txt_pieces(&compact(claim))]));
            accounts.names.set(RECORD, TXT, [reply]);
        })
        .await;
}

#[tokio::test]
async fn the_record_is_shown_as_evidence() {
    let (accounts, alice) = (Accounts::start().await, Claimant::of("dns:Kez.Test"));
    accounts.names.set(RECORD, TXT, [Reply::texts([txt_pieces(&compact(&alice.claim()))])]);
    assert_eq!(alice.verifies(&accounts.checker()).await, "dns:_kez.kez.test?type=TXT");
}

#[tokio::test]
async fn a_claim_stands_among_other_records() {
    let (accounts, alice) = (Accounts::start().await, Claimant::of("dns:kez.test"));
    let other = Claimant::of("dns:kez.test");
    let records = [
        vec!["v=spf1 -all".to_owned()],
        txt_pieces(&compact(&other.claim())),
        vec!["kez:z1:".to_owned(), "broken".to_owned()],
        txt_pieces(&String::from_utf8(alice.claim()).unwrap()),
    ];
    accounts.names.set(RECORD, TXT, [Reply::texts(records)]);
    alice.verifies(&accounts.checker()).await;
}

#[tokio::test]
async fn records_that_fit_no_packet_are_read() {
    let (accounts, alice) = (Accounts::start().await, Claimant::of("dns:kez.test"));
    let junk = (0..200).map(|number| vec![format!("{number:0200}")]);
    let records = junk.chain([txt_pieces(&compact(&alice.claim()))]);
    accounts.names.set(RECORD, TXT, [Reply::texts(records)]);
    alice.verifies(&accounts.checker()).await;
    assert_eq!(accounts.names.asked(RECORD, TXT), 2, "over UDP, then over TCP");
}

#[tokio::test]
async fn broken_is_told_from_absent() {
    let (accounts, alice) = (Accounts::start().await, Claimant::of("dns:kez.test"));
    let checker = accounts.checker();
    // No such name, no such record, another record; then what is meant to be a claim.
    alice.fails(&checker, Why::Absent).await;
    accounts.names.set(RECORD, A, [Reply::addresses(&[HERE])]);
    alice.fails(&checker, Why::Absent).await;
    for (text, why) in
        [("v=spf1 -all", Why::Absent), ("kez:z1:AAAA", Why::Malformed), ("kez:z7:x", Why::Malformed)]
    {
        accounts.names.set(RECORD, TXT, [Reply::texts([[text.to_owned()]])]);
        alice.fails(&checker, why).await;
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_says_nothing_about_the_domain() {
    let (accounts, alice) = (Accounts::start().await, Claimant::of("dns:kez.test"));
    accounts.names.set(RECORD, TXT, [Reply::Fails]);
    alice.fails(&accounts.checker(), Why::NoAnswer).await;
    accounts.names.set(RECORD, TXT, [Reply::Silent]);
    alice.fails(&accounts.hasty_checker(), Why::Timeout).await;
}

#[tokio::test]
async fn nothing_but_a_domain_is_asked_for() {
    let accounts = Accounts::start().await;
    for subject in ["dns:kez.test.", "dns:127.0.0.1", "dns:_kez.kez.test", "dns:a/../b", "dns:kez%2etest"] {
        Claimant::of(subject).fails(&accounts.checker(), Why::NoSuchAccount).await;
    }
    for name in ["_kez.kez.test", "_kez._kez.kez.test", "_kez.127.0.0.1"] {
        assert_eq!(accounts.names.asked(name, TXT), 0, "{name}");
    }
}

#[tokio::test]
async fn every_check_asks_anew() {
    let (accounts, alice) = (Accounts::start().await, Claimant::of("dns:kez.test"));
    let checker = accounts.checker();
    let claim = Reply::texts([txt_pieces(&compact(&alice.claim()))]);
    accounts.names.set(RECORD, TXT, [claim, Reply::Nothing]);
    alice.verifies(&checker).await;
    alice.fails(&checker, Why::Absent).await;
}

#[tokio::test]
async fn a_nostr_identity_claims_a_domain() {
    let (accounts, alice) = (Accounts::start().await, Claimant::of("dns:kez.test"));
    let key = kez_crypto::NostrSecret::from_bytes(kez_service::random::bytes()).unwrap();
    let claim = Claim::create(&alice.subject, NOW, None, &key);
    accounts.names.set(RECORD, TXT, [Reply::texts([txt_pieces(&compact(&claim))])]);
    let finding = accounts.checker().check(&alice.subject, &key.public().into(), false, NOW).await;
    assert_eq!((finding.why, finding.claim.map(String::into_bytes)), (None, Some(claim)));
}

#[tokio::test]
async fn a_record_may_stand_elsewhere() {
    let (accounts, alice) = (Accounts::start().await, Claimant::of("dns:kez.test"));
    let alias = RData::CNAME(CNAME("_kez.other.test.".parse().unwrap()));
    accounts.names.set(RECORD, TXT, [Reply::Records(vec![alias])]);
    accounts.names.set("_kez.other.test", TXT, [Reply::texts([txt_pieces(&compact(&alice.claim()))])]);
    alice.verifies(&accounts.checker()).await;
}
