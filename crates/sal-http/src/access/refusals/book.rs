//! The lines of refused logins, and when which is written. Pure.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::Which;

/// Whose login was refused, from where, and why.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// A user's name, or one of the words for what is none.
    pub(super) user: String,
    address: String,
    pub(super) why: Why,
}

/// Why a login was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The name or the password was wrong.
    Wrong,
    /// There were too many tries.
    LockedOut,
    /// Single sign-on did not end well.
    SingleSignOn,
    /// A program showed a token of the REST API that does not count.
    ApiToken,
    /// A program showed a pair of keys of the REST API that is none.
    ApiKey,
}

impl Refusal {
    /// Of a user who exists.
    #[must_use]
    pub fn of_user(name: &str, address: &str, why: Why) -> Self {
        Self::new(name, address, why)
    }

    /// Of a name that is no user's.
    #[must_use]
    pub fn of_nobody(address: &str, why: Why) -> Self {
        Self::new(UNKNOWN, address, why)
    }

    /// Of an address that tried several names.
    #[must_use]
    pub fn of_several(address: &str, why: Why) -> Self {
        Self::new(SEVERAL, address, why)
    }

    fn new(user: &str, address: &str, why: Why) -> Self {
        Self {
            user: user.to_owned(),
            address: address.to_owned(),
            why,
        }
    }
}

impl Why {
    /// The word of the audit log.
    pub(super) fn action(self) -> &'static str {
        match self {
            Self::Wrong | Self::SingleSignOn | Self::ApiToken | Self::ApiKey => "refused",
            Self::LockedOut => "locked out",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Wrong => "",
            Self::LockedOut => "too many tries ",
            Self::SingleSignOn => "single sign-on ",
            Self::ApiToken => "API token ",
            Self::ApiKey => "API key ",
        }
    }
}

/// All lines that are counted or not written yet.
#[derive(Default)]
pub(super) struct Book {
    lines: BTreeMap<u64, Line>,
    /// The line that counts now.
    open: HashMap<Refusal, u64>,
    next: u64,
}

struct Line {
    refusal: Refusal,
    row: Option<i64>,
    first: Timestamp,
    last: Timestamp,
    times: u64,
    written_times: u64,
    written_at: Timestamp,
    /// Whether somebody writes it at this moment.
    in_hand: bool,
}

/// A line as it is to be written.
pub(super) struct Due {
    number: u64,
    pub(super) refusal: Refusal,
    pub(super) row: Option<i64>,
    pub(super) first: Timestamp,
    last: Timestamp,
    times: u64,
    pub(super) is_written: bool,
}

impl Book {
    /// Counts a refusal; true when its line should be written now.
    pub(super) fn count(&mut self, refusal: Refusal, now: Timestamp) -> bool {
        self.close_old(now);
        let is_full = self.open.len() >= MOST_OPEN || self.lines.len() >= MOST_LINES;
        let refusal = if is_full && !self.open.contains_key(&refusal) {
            Refusal::new(SEVERAL, SEVERAL, refusal.why)
        } else {
            refusal
        };
        let next = self.next;
        let number = *self.open.entry(refusal.clone()).or_insert(next);
        let line = self.lines.entry(number).or_insert_with(|| Line {
            refusal,
            row: None,
            first: now,
            last: now,
            times: 0,
            written_times: 0,
            written_at: now,
            in_hand: false,
        });
        if number == next {
            self.next += 1;
        }
        line.times += 1;
        line.last = now;
        line.is_due(now)
    }

    /// The lines to write now. Each is in one hand at a time, until [`Book::settle`].
    pub(super) fn take_due(&mut self, now: Timestamp, which: Which) -> Vec<Due> {
        self.close_old(now);
        let mut due = Vec::new();
        for (number, line) in &mut self.lines {
            let is_open = self.open.get(&line.refusal) == Some(number);
            let is_wanted = match which {
                Which::All => true,
                Which::Due => !is_open || line.is_due(now),
            };
            if is_wanted && !line.in_hand && line.times > line.written_times {
                line.in_hand = true;
                due.push(Due {
                    number: *number,
                    refusal: line.refusal.clone(),
                    row: line.row,
                    first: line.first,
                    last: line.last,
                    times: line.times,
                    is_written: false,
                });
            }
        }
        due
    }

    /// Remembers what was written; the rest stays due. Lines that are over and written are forgotten.
    pub(super) fn settle(&mut self, lines: &[Due], now: Timestamp) {
        for due in lines {
            let Some(line) = self.lines.get_mut(&due.number) else {
                continue;
            };
            line.in_hand = false;
            line.row = due.row;
            if due.is_written {
                (line.written_times, line.written_at) = (due.times, now);
            }
        }
        let open = &self.open;
        self.lines.retain(|number, line| {
            line.in_hand
                || line.times > line.written_times
                || open.get(&line.refusal) == Some(number)
        });
    }

    /// What is refused after a quarter of an hour gets a line of its own.
    fn close_old(&mut self, now: Timestamp) {
        let lines = &self.lines;
        self.open.retain(|_, number| {
            lines
                .get(number)
                .is_some_and(|line| now.duration_since(line.first) < LENGTH)
        });
    }
}

impl Line {
    fn is_due(&self, now: Timestamp) -> bool {
        let is_late = now.duration_since(self.written_at) >= LATE;
        !self.in_hand
            && self.times > self.written_times
            && (is_late || self.times <= AT_ONCE || self.times.is_power_of_two())
    }
}

impl Due {
    /// The words of the line.
    pub(super) fn detail(&self) -> String {
        let (words, address) = (self.refusal.why.words(), &self.refusal.address);
        match self.times {
            1 => format!("{words}from {address}"),
            times => format!(
                "{words}from {address}, {times} times, the last {:.0}",
                self.last
            ),
        }
    }
}

const UNKNOWN: &str = "(unknown)";
const SEVERAL: &str = "(several)";
const LENGTH: SignedDuration = SignedDuration::from_mins(15);
/// A number is never longer out of date in the log than this, while somebody goes on.
const LATE: SignedDuration = SignedDuration::from_mins(1);
/// The first tries are written each.
const AT_ONCE: u64 = 10;
/// Lines in a quarter of an hour that are not shared.
const MOST_OPEN: usize = 200;
/// Lines that wait while the database is away.
const MOST_LINES: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn wrong(name: &str, address: &str) -> Refusal {
        Refusal::of_user(name, address, Why::Wrong)
    }

    /// Writes what is due, and says what was written.
    fn write(book: &mut Book, now: Timestamp, which: Which) -> Vec<String> {
        let mut due = book.take_due(now, which);
        for (row, line) in due.iter_mut().enumerate() {
            line.row = line.row.or(Some(row.try_into().unwrap()));
            line.is_written = true;
        }
        book.settle(&due, now);
        let text = |line: &Due| {
            format!(
                "{} {} {}",
                line.refusal.user,
                line.refusal.why.action(),
                line.detail()
            )
        };
        due.iter().map(text).collect()
    }

    #[test]
    fn a_line_counts_and_is_written_ever_more_rarely() {
        let mut book = Book::default();
        let mut writes = 0;
        for _ in 0..10_000 {
            if book.count(wrong("anna", "10.0.0.1"), at(0)) {
                writes += write(&mut book, at(0), Which::Due).len();
            }
        }
        assert_eq!(writes, 10 + 10, "the first ten, then 16, 32 … 8192");
        assert_eq!(
            write(&mut book, at(1), Which::All),
            ["anna refused from 10.0.0.1, 10000 times, the last 2027-01-15T08:00:00Z"]
        );
        assert!(write(&mut book, at(1), Which::All).is_empty());
        // Whoever goes on slowly is written after a minute.
        assert!(!book.count(wrong("anna", "10.0.0.1"), at(30)));
        assert!(book.count(wrong("anna", "10.0.0.1"), at(61)));
    }

    #[test]
    fn users_addresses_reasons_and_quarters_of_an_hour_have_lines_of_their_own() {
        let mut book = Book::default();
        book.count(wrong("anna", "10.0.0.1"), at(0));
        book.count(wrong("anna", "10.0.0.2"), at(1));
        book.count(Refusal::of_nobody("10.0.0.1", Why::Wrong), at(2));
        book.count(Refusal::of_several("10.0.0.1", Why::LockedOut), at(3));
        book.count(wrong("anna", "10.0.0.1"), at(4));
        book.count(wrong("anna", "10.0.0.1"), at(900));
        assert_eq!(
            write(&mut book, at(901), Which::All),
            [
                "anna refused from 10.0.0.1, 2 times, the last 2027-01-15T08:00:04Z",
                "anna refused from 10.0.0.2",
                "(unknown) refused from 10.0.0.1",
                "(several) locked out too many tries from 10.0.0.1",
                "anna refused from 10.0.0.1",
            ]
        );
        // What is over and written is forgotten.
        assert!(write(&mut book, at(10_000), Which::All).is_empty());
        book.count(wrong("ben", "10.0.0.1"), at(10_000));
        write(&mut book, at(10_000), Which::Due);
        assert_eq!(book.lines.len(), 1);
    }

    #[test]
    fn what_could_not_be_written_is_written_later_and_nothing_twice_at_a_time() {
        let mut book = Book::default();
        assert!(book.count(wrong("anna", "10.0.0.1"), at(0)));
        let due = book.take_due(at(0), Which::Due);
        assert_eq!(due.len(), 1);
        // Meanwhile: the line is in somebody's hand.
        assert!(!book.count(wrong("anna", "10.0.0.1"), at(0)));
        assert!(book.take_due(at(0), Which::All).is_empty());
        // The database was away.
        book.settle(&due, at(0));
        assert_eq!(
            write(&mut book, at(2000), Which::Due),
            ["anna refused from 10.0.0.1, 2 times, the last 2027-01-15T08:00:00Z"]
        );
    }

    #[test]
    fn lines_are_few_and_no_refusal_is_lost() {
        let mut book = Book::default();
        for n in 0..50_000 {
            let address = format!("10.{}.{}.{}", n / 62_500, n / 250 % 250, n % 250);
            book.count(wrong("anna", &address), at(n / 1000));
        }
        assert_eq!(book.lines.len(), MOST_OPEN + 1);
        let times: u64 = book.lines.values().map(|line| line.times).sum();
        assert_eq!(times, 50_000);
        let lines = write(&mut book, at(60), Which::All);
        assert!(
            lines
                .last()
                .unwrap()
                .starts_with("(several) refused from (several), 49800 times")
        );
        // A database that is away for days.
        for quarter in 1..100 {
            for n in 0..300 {
                book.count(wrong("anna", &n.to_string()), at(quarter * 900));
            }
        }
        assert!(book.lines.len() <= MOST_LINES + 100, "{}", book.lines.len());
        let unwritten = |line: &Line| line.times - line.written_times;
        let times: u64 = book.lines.values().map(unwritten).sum();
        assert_eq!(times, 99 * 300);
    }
}
