use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

impl LoginAttempts {
    /// A wrong password; whether it was looked at, or the seconds to wait.
    fn fails(&self, user: &str, network: &str, now: Timestamp) -> Result<Duration, u64> {
        let tried = self.begin(user, network, now);
        tried
            .map(|tried| {
                let delay = tried.delay;
                tried.failed(true, now);
                delay
            })
            .map_err(|locked| locked.seconds)
    }
}

#[test]
fn the_eleventh_try_waits_and_another_address_does_not() {
    let attempts = LoginAttempts::default();
    for second in 0..10 {
        assert!(attempts.fails("anna", "10.0.0.1", at(second)).is_ok());
    }
    assert_eq!(attempts.fails("anna", "10.0.0.1", at(10)), Err(890));
    let locked = attempts.begin("anna", "10.0.0.1", at(10)).err().unwrap();
    assert_eq!(locked.by, Lock::Pair { exists: true });
    assert!(attempts.fails("anna", "10.0.0.2", at(10)).is_ok());
    assert!(attempts.fails("ben", "10.0.0.1", at(10)).is_ok());
    assert!(attempts.fails("anna", "10.0.0.1", at(901)).is_ok());
}

#[test]
fn a_success_forgets_the_tries_before_it() {
    let attempts = LoginAttempts::default();
    for _ in 0..300 {
        assert!(attempts.fails("anna", "10.0.0.1", at(0)).is_ok());
        let right = attempts.begin("anna", "10.0.0.1", at(0)).unwrap();
        right.succeeded(at(0));
    }
}

#[test]
fn nobody_is_locked_out_by_tries_from_elsewhere() {
    let attempts = LoginAttempts::default();
    for n in 0..2000 {
        let network = format!("10.0.{}.{}", n / 250, n % 250);
        for _ in 0..12 {
            let _looked_at = attempts.fails("anna", &network, at(0));
        }
    }
    let own = attempts.begin("anna", "192.0.2.9", at(1)).unwrap();
    assert_eq!(own.delay, Duration::from_secs(3));
    own.succeeded(at(1));
}

#[test]
fn a_user_who_is_tried_from_many_addresses_is_served_later() {
    let attempts = LoginAttempts::default();
    let seconds = |n: u32| {
        let delay = attempts.fails("anna", &format!("10.0.0.{n}"), at(0));
        delay.unwrap().as_secs()
    };
    let delays: Vec<_> = (0..120).map(seconds).collect();
    assert_eq!(delays[..20], [0; 20]);
    assert_eq!(delays[20..50], [1; 30]);
    assert_eq!(delays[50..100], [2; 50]);
    assert_eq!(delays[100..], [3; 20]);
    assert_eq!(attempts.fails("ben", "10.0.0.1", at(0)), Ok(Duration::ZERO));
}

#[test]
fn ten_thousand_random_names_reset_nothing() {
    let attempts = LoginAttempts::default();
    for _ in 0..10 {
        assert!(attempts.fails("anna", "10.0.0.1", at(0)).is_ok());
    }
    let looked_at = (0..10_000)
        .filter(|n| {
            attempts
                .fails(&format!("random {n}"), "10.0.0.1", at(1))
                .is_ok()
        })
        .count();
    assert_eq!(looked_at, 90, "the address has a bound of its own");
    assert!(attempts.fails("anna", "10.0.0.1", at(2)).is_err());
    assert!(attempts.fails("anna", "10.0.0.2", at(2)).is_ok());
    // From a whole botnet neither, until it has made twenty thousand.
    for n in 0..190_u32 {
        for name in 0..100 {
            let network = format!("10.9.0.{n}");
            let _looked_at = attempts.fails(&format!("other {name}"), &network, at(3));
        }
    }
    let locked = attempts.begin("anna", "10.0.0.1", at(4)).err().unwrap();
    assert_eq!(locked.by, Lock::Address);
}

#[test]
fn memory_stays_bounded_and_the_oldest_goes_first() {
    let attempts = LoginAttempts::default();
    let long = "ä".repeat(1_000_000);
    for n in 0..windows::MOST + 5_000 {
        let network = format!("10.{}.{}.{}", n / 62_500, n / 250 % 250, n % 250);
        let name = if n % 1000 == 0 { long.as_str() } else { "x" };
        assert!(attempts.fails(name, &network, at(0)).is_ok());
    }
    let counts = attempts.counts();
    assert_eq!(counts.pairs.count(), windows::MOST);
    assert_eq!(counts.addresses.count(), windows::MOST);
    assert_eq!(counts.users.count(), 2);
    assert!(counts.under_way.is_empty());
}

#[test]
fn few_tries_of_one_address_are_under_way_and_who_hangs_up_leaves_a_place() {
    let attempts = LoginAttempts::default();
    let names: Vec<_> = (0..20).map(|n| format!("user {n}")).collect();
    let mut open: Vec<_> = names
        .iter()
        .filter_map(|name| attempts.begin(name, "10.0.0.1", at(0)).ok())
        .collect();
    assert_eq!(open.len(), 8);
    let more = attempts.begin("anna", "10.0.0.1", at(0)).err().unwrap();
    assert_eq!((more.by, more.seconds), (Lock::AtOnce, 5));
    assert!(attempts.begin("anna", "10.0.0.2", at(0)).is_ok());
    open.pop();
    assert!(attempts.begin("anna", "10.0.0.1", at(0)).is_ok());
}

#[test]
fn a_try_that_nobody_looked_at_is_none_and_one_that_was_given_up_is_one() {
    let attempts = LoginAttempts::default();
    for _ in 0..200 {
        let tried = attempts.begin("anna", "10.0.0.1", at(0)).unwrap();
        tried.not_made(at(0));
    }
    for _ in 0..10 {
        drop(attempts.begin("anna", "10.0.0.1", at(0)).unwrap());
    }
    assert!(attempts.begin("anna", "10.0.0.1", at(0)).is_err());
}
