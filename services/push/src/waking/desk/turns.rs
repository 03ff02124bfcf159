//! Whose turn it is: pushes that are answered soon never wait for those that are not.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::networks::{Networks, network};
use crate::sender::{Answer, SLOW_IN_FLIGHT, Sender};
use crate::store::Kept;

/// Slow pushes that wait for their turn.
const SLOW_IN_HAND: usize = 64;
/// A push that has no answer by then is a slow one.
const SOON: Duration = Duration::from_secs(1);
/// One that found no place among the slow ones, and kept its own because nobody wanted it, looks again after that.
const LOOK: Duration = Duration::from_millis(250);

/// The places of pushes. Clones share them.
#[derive(Clone)]
pub struct Turns {
    sender: Sender,
    slow: Arc<Semaphore>,
    slow_in_hand: Arc<Semaphore>,
    networks: Arc<Mutex<Networks>>,
}

/// A place among the slow pushes that wait.
pub type Room = OwnedSemaphorePermit;

/// A place among the pushes that are on their way.
pub struct Turn {
    _place: OwnedSemaphorePermit,
    slow: bool,
}

impl Turns {
    pub fn new(sender: Sender) -> Self {
        let places = |number| Arc::new(Semaphore::new(number));
        Self {
            sender,
            slow: places(SLOW_IN_FLIGHT),
            slow_in_hand: places(SLOW_IN_HAND),
            networks: Arc::default(),
        }
    }

    /// Whether a push is to wait among the slow ones: as far as is known, its network keeps whoever pushes waiting.
    pub fn is_slow(&self, kept: &Kept) -> bool {
        self.with_networks(|networks| networks.is_slow(&network(&kept.endpoint), kept.attempts > 0))
    }

    /// Room for one more slow push that waits, if there is any.
    pub fn room(&self) -> Option<Room> {
        self.slow_in_hand.clone().try_acquire_owned().ok()
    }

    /// Waits for the turn of a push, as a slow one if it has room among them. None: it turned out to be a slow one, and too
    /// many of them wait.
    pub async fn next(&self, kept: &Kept, mut room: Option<Room>) -> Option<Turn> {
        if room.is_none() {
            let place = self.sender.place().await?;
            // Others may have found out meanwhile.
            if !self.is_slow(kept) {
                return Some(Turn { _place: place, slow: false });
            }
            room = Some(self.room()?);
        }
        let place = self.slow.clone().acquire_owned().await.ok()?;
        drop(room);
        Some(Turn { _place: place, slow: true })
    }

    /// Pushes. What is not answered soon goes on among the slow pushes, or ends when these are enough and others wait.
    pub async fn push(&self, mut turn: Turn, kept: &Kept) -> Answer {
        let request = self.sender.push(&kept.endpoint);
        tokio::pin!(request);
        let mut answer = timeout(SOON, &mut request).await;
        self.with_networks(|networks| networks.note(network(&kept.endpoint), answer.is_ok()));
        loop {
            if let Ok(answer) = answer {
                return answer;
            }
            if !turn.slow {
                match self.slow.clone().try_acquire_owned() {
                    Ok(place) => turn = Turn { _place: place, slow: true },
                    Err(_) if self.sender.is_full() => return Answer::Later { status: None, after: None },
                    Err(_) => {}
                }
            }
            answer = timeout(LOOK, &mut request).await;
        }
    }

    fn with_networks<T>(&self, look: impl FnOnce(&mut Networks) -> T) -> T {
        look(&mut self.networks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
