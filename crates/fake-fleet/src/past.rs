//! What a machine did before: when it was last seen, when first, and since when its items are what they are.
//!
//! For filling databases as large and as old as real ones; check-ins do not tell it.

use jiff::SignedDuration;

use crate::machine::Machine;

/// A managed item before the last check-in. Times are counted back from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemPast {
    /// How long the item has had its status.
    pub since: SignedDuration,
    /// How long ago it waited to be installed, where it did.
    pub pending: Option<SignedDuration>,
}

impl Machine<'_> {
    /// How long the machine has been silent. Most were seen within hours, some within days, a few are in a drawer.
    #[must_use]
    pub fn silence(&self) -> SignedDuration {
        let mut draw = self.draw.at("silence");
        let hours = draw.pick_weighted(&[(2, 85), (72, 8), (30 * 24, 4), (200 * 24, 3)]);
        seconds(draw.below(hours * 3600))
    }

    /// How long before its last check-in the machine came first: up to three years.
    #[must_use]
    pub fn age(&self) -> SignedDuration {
        seconds(self.draw.at("age").below(3 * 365 * 86_400))
    }

    /// The last `days` of one of its managed items.
    #[must_use]
    pub fn item_past(&self, item: &str, days: u32) -> ItemPast {
        let mut draw = self.draw.at("past").at(item);
        let since = draw.below(u64::from(days) * 86_400);
        let waited = draw.between(3600, 3 * 86_400);
        let pending = draw.happens(60).then(|| seconds(since + waited));
        ItemPast {
            since: seconds(since),
            pending,
        }
    }
}

fn seconds(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0))
}
