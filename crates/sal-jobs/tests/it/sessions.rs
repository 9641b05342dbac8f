//! Sessions that expired.

use crate::ground::{Ground, NOW, of};

#[tokio::test]
async fn q109_what_expired_goes_and_what_lives_stays() {
    let mut ground = Ground::new().await;
    ground.config.batch = 10;
    ground
        .sql(&format!(
            "INSERT INTO salrs_session (token_hash, user_id, created, last_seen, expires)
             SELECT sha256(n::text::bytea), 1, '2026-01-01', '2026-01-01', timestamptz '{NOW}' + (n - 25) * interval '1 hour' FROM generate_series(1, 50) n;
             INSERT INTO salrs_setup_link (token_hash, expires)
             SELECT sha256(n::text::bytea), timestamptz '{NOW}' + (n - 1) * interval '1 hour' FROM generate_series(1, 2) n;
             INSERT INTO django_session (session_key, session_data, expire_date)
             SELECT 'k' || n, '', timestamptz '{NOW}' + (n - 30) * interval '1 hour' FROM generate_series(1, 50) n;
             INSERT INTO salrs_gone (machine_id, at)
             SELECT n, timestamptz '{NOW}' - n * interval '1 day' FROM generate_series(1, 50) n;"
        ))
        .await;
    let counts = [
        ("sessions", 25),
        ("set-up links", 1),
        ("sessions of Django", 30),
        ("notes of machines that are gone", 13),
    ];
    for outcome in [ground.count("sessions").await, ground.run("sessions").await] {
        for (things, count) in counts {
            assert_eq!(of(&outcome, things), count, "{things}");
        }
    }
    let alive = format!(
        "SELECT (SELECT count(*) FROM salrs_session WHERE expires > '{NOW}') * 10000
            + (SELECT count(*) FROM salrs_setup_link) * 100 + (SELECT count(*) FROM django_session)"
    );
    assert_eq!(ground.number(&alive).await, 250_120);
    assert_eq!(
        ground
            .number("SELECT max(machine_id) FROM salrs_gone")
            .await,
        37
    );
    assert_eq!(ground.run("sessions").await.rows(), 0);
}
