//! Random bytes from the operating system, as plain arrays: crates that carry different generations of `rand` get bytes.

/// `N` bytes that nobody can guess. A system without a random source cannot run Kez at all.
#[expect(clippy::disallowed_methods, reason = "the one place that draws random bytes")]
#[expect(clippy::expect_used, reason = "nothing here can go on without randomness")]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
