use std::sync::mpsc;

use futures_util::{FutureExt, future::BoxFuture};

use super::*;

fn stranger(address: &str) -> Asker {
    Asker::Stranger(address.to_owned())
}

/// Somebody who waits, polled once so that the place is taken.
fn wait(hashing: &Hashing, asker: &Asker) -> BoxFuture<'static, Result<Turn, AppError>> {
    let (hashing, asker) = (hashing.clone(), asker.clone());
    let mut waiting = async move { hashing.turn(&asker).await }.boxed();
    assert!((&mut waiting).now_or_never().is_none());
    waiting
}

fn enters(hashing: &Hashing, asker: &Asker) -> Result<Turn, AppError> {
    hashing.turn(asker).now_or_never().unwrap()
}

#[test]
fn an_administrator_waits_one_turn_behind_a_hundred_logins_of_a_stranger() {
    let hashing = Hashing::default();
    let crowd = stranger("198.51.100.7");
    let mut running = vec![
        enters(&hashing, &crowd).unwrap(),
        enters(&hashing, &crowd).unwrap(),
    ];
    let mut waiting: Vec<_> = (0..PLACES_EACH).map(|_| wait(&hashing, &crowd)).collect();
    for _ in PLACES_EACH + 2..100 {
        let refused = enters(&hashing, &crowd).err().unwrap();
        assert!(matches!(refused, AppError::TooMany { .. }), "{refused}");
    }
    let mut administrator = wait(&hashing, &stranger("203.0.113.5"));
    // The stranger's next one was there before; then it is the administrator's turn, not the stranger's third.
    let mut turns = 0;
    while (&mut administrator).now_or_never().is_none() {
        turns += 1;
        running.remove(0);
        for place in &mut waiting {
            if let Some(turn) = place.now_or_never() {
                running.push(turn.unwrap());
                *place = std::future::pending().boxed();
            }
        }
        assert!(turns < 10, "the administrator waits for ever");
    }
    assert_eq!(turns, 2);
    assert_eq!(hashing.usage().most_running, AT_ONCE);
}

#[test]
fn callers_take_turns_however_many_places_each_has() {
    let hashing = Hashing::default();
    let server = Asker::Server;
    let mut running = vec![
        enters(&hashing, &server).unwrap(),
        enters(&hashing, &server).unwrap(),
    ];
    let people = [
        stranger("a"),
        stranger("a"),
        stranger("a"),
        stranger("b"),
        Asker::Person(UserId(7)),
        stranger("b"),
    ];
    let mut waiting: Vec<_> = people
        .iter()
        .map(|asker| Some(wait(&hashing, asker)))
        .collect();
    let mut order = Vec::new();
    for _ in 0..people.len() {
        running.remove(0);
        for (number, place) in waiting.iter_mut().enumerate() {
            if let Some(turn) = place.as_mut().and_then(FutureExt::now_or_never) {
                order.push(number);
                running.push(turn.unwrap());
                *place = None;
            }
        }
    }
    assert_eq!(order, [0, 3, 4, 1, 5, 2]);
    drop(running);
    assert_eq!(hashing.usage().running, 0);
}

#[test]
fn a_full_queue_makes_room_for_who_has_less_and_else_says_so() {
    let hashing = Hashing::default();
    let _running = [
        enters(&hashing, &Asker::Server).unwrap(),
        enters(&hashing, &Asker::Server).unwrap(),
    ];
    let mut greedy: Vec<_> = (0..PLACES_EACH)
        .map(|_| wait(&hashing, &stranger("greedy")))
        .collect();
    let others: Vec<_> = (PLACES_EACH..PLACES)
        .map(|n| wait(&hashing, &stranger(&n.to_string())))
        .collect();
    assert_eq!(hashing.usage().waiting, PLACES);
    let newcomers: Vec<_> = (1..PLACES_EACH)
        .map(|n| wait(&hashing, &stranger(&format!("newcomer {n}"))))
        .collect();
    let displaced = greedy
        .iter_mut()
        .filter_map(|place| place.now_or_never())
        .filter(Result::is_err)
        .count();
    assert_eq!(displaced, PLACES_EACH - 1);
    let refused = enters(&hashing, &stranger("one more")).err().unwrap();
    assert!(matches!(refused, AppError::LoginsBusy { .. }), "{refused}");
    // Who hangs up leaves a place.
    drop((others, newcomers));
    assert_eq!(hashing.usage().waiting, 1);
    drop(wait(&hashing, &stranger("one more")));
}

#[test]
fn a_turn_whose_caller_went_the_same_moment_goes_to_the_next() {
    let hashing = Hashing::default();
    let running = [
        enters(&hashing, &Asker::Server).unwrap(),
        enters(&hashing, &Asker::Server).unwrap(),
    ];
    let gone = wait(&hashing, &stranger("a"));
    let mut next = wait(&hashing, &stranger("b"));
    drop(running);
    // Its turn was sent, and nobody will ever take it.
    drop(gone);
    assert!((&mut next).now_or_never().unwrap().is_ok());
    assert_eq!(hashing.usage().running, 0);
    assert_eq!(hashing.usage().most_running, AT_ONCE);
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_free_the_thread_that_hashes() {
    let hashing = Hashing::default();
    let mut ends = Vec::new();
    for _ in 0..AT_ONCE {
        let (end, ended) = mpsc::channel::<()>();
        ends.push(end);
        let asker = stranger("a");
        let mut call = hashing.run(&asker, move || ended.recv().is_err()).boxed();
        assert!((&mut call).now_or_never().is_none());
        // The request is gone, its thread is not.
        drop(call);
    }
    for round in 0..30 {
        let asker = stranger(&format!("b{round}"));
        let mut call = hashing.run(&asker, || ()).boxed();
        assert!((&mut call).now_or_never().is_none(), "{round}");
        assert_eq!(hashing.usage().running, AT_ONCE);
    }
    let asker = stranger("c");
    let waiting = hashing.run(&asker, || 7);
    ends.clear();
    assert_eq!(waiting.await.unwrap(), 7);
    assert_eq!(hashing.usage().most_running, AT_ONCE);
}
