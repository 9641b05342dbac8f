//! Draws: repeatable "random" choices, addressed by name.
//!
//! A draw is named by a path of labels (`seed / machine 7 / facts`), not by how many draws
//! came before it, so adding a field to one section does not move the values of another.
//! Own code (SplitMix64 over an FNV-1a path) because the generators of `rand` may change
//! their sequences between versions, and the same seed must give the same bytes for good.

/// A position in the tree of draws, and the stream of numbers that starts there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw {
    state: u64,
}

impl Draw {
    /// The root of a fleet's draws.
    pub(crate) fn root(seed: u64) -> Self {
        Self {
            state: mix(seed ^ 0x6a09_e667_f3bc_c908),
        }
    }

    /// The draw one label further down; the numbers taken from `self` so far do matter.
    pub(crate) fn at(&self, label: &str) -> Self {
        let mut hash = self.state ^ 0xcbf2_9ce4_8422_2325;
        for byte in label.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self { state: mix(hash) }
    }

    /// The draw at a numbered place below this one.
    pub(crate) fn nth(&self, number: u64) -> Self {
        Self {
            state: mix(self.state ^ mix(number.wrapping_add(0x9e37_79b9))),
        }
    }

    /// The next 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A number from 0 up to, not including, `end`; 0 when `end` is 0.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.bits().checked_rem(end).unwrap_or(0)
    }

    /// A number from `first` to `last`, both included.
    pub(crate) fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last.saturating_sub(first) + 1)
    }

    /// Whether something that happens in `permille` of 1000 cases happens.
    pub(crate) fn happens(&mut self, permille: u64) -> bool {
        self.below(1000) < permille
    }

    /// One of the items; the type's default when there are none.
    pub(crate) fn pick<T: Copy + Default>(&mut self, items: &[T]) -> T {
        let index = self.index(items.len());
        items.get(index).copied().unwrap_or_default()
    }

    /// One of the items, each as likely as its weight says.
    pub(crate) fn pick_weighted<T: Copy + Default>(&mut self, items: &[(T, u64)]) -> T {
        let total = items.iter().map(|(_, weight)| weight).sum();
        let mut left = self.below(total);
        for (item, weight) in items {
            if left < *weight {
                return *item;
            }
            left -= weight;
        }
        T::default()
    }

    /// `count` different numbers below `end`, in random order; fewer when `end` is smaller.
    pub(crate) fn sample(&mut self, count: usize, end: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..end).collect();
        let count = count.min(end);
        for place in 0..count {
            numbers.swap(place, place + self.index(end - place));
        }
        numbers.truncate(count);
        numbers
    }

    /// Lower-case hexadecimal text of `digits` digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.bits()));
        }
        text.truncate(digits);
        text
    }

    /// An upper-case UUID of version 4.
    pub(crate) fn uuid(&mut self) -> String {
        let (high, low) = (self.bits(), self.bits());
        format!(
            "{:08X}-{:04X}-4{:03X}-{:04X}-{:012X}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | ((low >> 48) & 0x3fff),
            low & 0xffff_ffff_ffff
        )
    }

    /// How many of the runs 1 to `run` changed a value that changes in `permille` of 1000 runs.
    pub(crate) fn changes(&self, run: u32, permille: u64) -> u64 {
        let changed = (1..=run).filter(|&r| self.nth(u64::from(r)).happens(permille));
        u64::try_from(changed.count()).unwrap_or(u64::MAX)
    }

    fn index(&mut self, len: usize) -> usize {
        let end = u64::try_from(len).unwrap_or(u64::MAX);
        usize::try_from(self.below(end)).unwrap_or(0)
    }
}

/// The finaliser of SplitMix64.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_fixed_for_good() {
        let mut draw = Draw::root(7).at("machine").nth(3);
        let taken = (draw.below(1000), draw.below(1000), draw.hex(8));
        let mut again = Draw::root(7).at("machine").nth(3);
        assert_eq!(taken, (again.below(1000), again.below(1000), again.hex(8)));
        assert_ne!(Draw::root(7).bits(), Draw::root(8).bits());
    }

    #[test]
    fn a_sample_has_no_repeats_and_stays_in_range() {
        let mut sample = Draw::root(1).sample(100, 120);
        sample.sort_unstable();
        sample.dedup();
        assert_eq!(sample.len(), 100);
        assert!(sample.iter().all(|n| *n < 120));
        assert_eq!(Draw::root(1).sample(9, 4).len(), 4);
    }

    #[test]
    fn a_permille_is_about_a_permille() {
        let draw = Draw::root(5).at("chance");
        let hits = draw.changes(20_000, 30);
        assert!((500..700).contains(&hits), "{hits}");
    }

    #[test]
    fn a_uuid_has_version_and_variant() {
        let uuid = Draw::root(2).uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(b"89AB".contains(&uuid.as_bytes()[19]), "{uuid}");
    }
}
