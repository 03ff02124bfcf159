//! A person's push subscriptions, as their client asks for them.

use kez_contract::Problem;
use kez_contract::push::{
    ListSubscriptions, SUBSCRIBE, SUBSCRIPTIONS, Subscribe, SubscriptionKeys, Subscriptions, UNSUBSCRIBE,
    Unsubscribe,
};

use crate::person::Person;

/// A point that browsers could subscribe with: the base point of P-256.
pub const POINT: &str =
    "BGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU";
/// The 16 bytes beside it.
pub const SECRET: &str = "BwcHBwcHBwcHBwcHBwcHBw";

/// A subscription of an endpoint, with keys that are fine.
pub fn subscription(endpoint: &str) -> Subscribe {
    with_keys(endpoint, POINT, SECRET)
}

/// The same with other keys.
pub fn with_keys(endpoint: &str, p256dh: &str, auth: &str) -> Subscribe {
    let keys = SubscriptionKeys { p256dh: p256dh.to_owned(), auth: auth.to_owned() };
    Subscribe { endpoint: endpoint.to_owned(), keys }
}

/// The endpoints of an answer, in its order.
pub fn endpoints(standing: &Subscriptions) -> Vec<String> {
    standing.subscriptions.iter().map(|subscription| subscription.endpoint.clone()).collect()
}

impl Person {
    pub async fn subscribe(&self, endpoint: &str) -> Result<Subscriptions, Problem> {
        self.client.call(&SUBSCRIBE, &subscription(endpoint)).await
    }

    pub async fn unsubscribe(&self, endpoint: &str) -> Subscriptions {
        self.client.call(&UNSUBSCRIBE, &Unsubscribe { endpoint: endpoint.to_owned() }).await.unwrap()
    }

    /// The endpoints that now stand.
    pub async fn subscribed(&self) -> Vec<String> {
        endpoints(&self.client.call(&SUBSCRIPTIONS, &ListSubscriptions {}).await.unwrap())
    }
}
