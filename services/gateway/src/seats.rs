//! How many long-lived connections there are at once: by address, and in all.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kez_contract::{Code, Problem};

use crate::address::Address;

/// What somebody who found no seat is told to wait, in seconds.
const RETRY_AFTER: u64 = 10;

/// Seats of one kind.
#[derive(Clone)]
pub struct Seats {
    what: &'static str,
    per_address: u32,
    in_all: u32,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    in_all: u32,
    by_address: HashMap<Address, u32>,
}

/// A seat; dropping it frees it.
pub struct Seat {
    address: Address,
    taken: Arc<Mutex<Taken>>,
}

impl Seats {
    pub fn new(what: &'static str, per_address: NonZeroU32, in_all: NonZeroU32) -> Self {
        Self { what, per_address: per_address.get(), in_all: in_all.get(), taken: Arc::default() }
    }

    /// Takes a seat for a client at this address.
    pub fn take(&self, address: Address) -> Result<Seat, Problem> {
        let mut taken = lock(&self.taken);
        if taken.in_all >= self.in_all {
            let detail = format!("this server has as many {} open as it can", self.what);
            return Err(Problem { retry_after: Some(RETRY_AFTER), ..Problem::unavailable(detail) });
        }
        let held = taken.by_address.get(&address).copied().unwrap_or(0);
        if held >= self.per_address {
            let detail = format!("your address has {held} {} open; close one first", self.what);
            return Err(Problem {
                retry_after: Some(RETRY_AFTER),
                ..Problem::new(Code::RateLimited, detail)
            });
        }
        taken.in_all += 1;
        taken.by_address.insert(address, held + 1);
        Ok(Seat { address, taken: self.taken.clone() })
    }

    /// How many are taken.
    pub fn taken(&self) -> u32 {
        lock(&self.taken).in_all
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.in_all -= 1;
        if let Some(held) = taken.by_address.get_mut(&self.address) {
            *held -= 1;
            if *held == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// The counts are right even after a panic elsewhere: nothing panics between two that belong together.
fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(per_address: u32, in_all: u32) -> Seats {
        Seats::new("tunnels", NonZeroU32::new(per_address).unwrap(), NonZeroU32::new(in_all).unwrap())
    }

    fn address(text: &str) -> Address {
        Address(text.parse().unwrap())
    }

    #[test]
    fn one_address_cannot_take_them_all() {
        let seats = seats(2, 3);
        let (alice, bob) = (address("203.0.113.1"), address("203.0.113.2"));
        let first = seats.take(alice).unwrap();
        let _second = seats.take(alice).unwrap();
        let refused = seats.take(alice).err().unwrap();
        assert_eq!((refused.code, refused.retry_after), (Code::RateLimited, Some(10)));
        let _third = seats.take(bob).unwrap();
        assert_eq!(seats.take(bob).err().unwrap().code, Code::Unavailable);
        assert_eq!(seats.taken(), 3);
        drop(first);
        assert_eq!(seats.taken(), 2);
        drop(seats.take(alice).unwrap());
    }

    #[test]
    fn nothing_is_remembered_of_those_who_left() {
        let seats = seats(1, 100);
        for last in 0..100 {
            drop(seats.take(address(&format!("203.0.113.{last}"))).unwrap());
        }
        assert_eq!(seats.taken(), 0);
        assert!(lock(&seats.taken).by_address.is_empty());
    }
}
