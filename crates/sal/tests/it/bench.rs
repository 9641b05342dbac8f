//! The benchmark of the pages runs: on a fleet so small that its figures say nothing.

use serde_json::Value;

use crate::stage::Settings;

#[tokio::test]
async fn pages_are_measured_next_to_plain_sql() {
    let arguments = [
        "bench",
        "pages",
        "--machines",
        "30",
        "--requests",
        "2",
        "--rounds",
        "1",
        "--json",
    ];
    // The private Postgres's programs are found through PATH or at their usual places.
    let ended = Settings::default().run(&arguments).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let pages = report["pages"].as_array().unwrap();
    let names: Vec<&str> = pages
        .iter()
        .filter_map(|page| page["page"].as_str())
        .collect();
    for name in ["overview", "machines", "machines, search", "one machine"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for page in pages {
        for figure in ["p50_ms", "plain_sql_p50_ms", "statements", "bytes"] {
            assert!(page[figure].as_f64().unwrap() > 0.0, "{figure} of {page:#}");
        }
    }
}

#[tokio::test]
async fn filters_are_measured_next_to_plain_sql() {
    let arguments = [
        "bench",
        "search",
        "--machines",
        "1000",
        "--rounds",
        "1",
        "--json",
    ];
    let ended = Settings::default().run(&arguments).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let questions = report["questions"].as_array().unwrap();
    assert!(questions.len() >= 15, "{questions:?}");
    for question in questions {
        for figure in ["p50_ms", "plain_sql_p50_ms", "found"] {
            assert!(
                question[figure].as_f64().unwrap() > 0.0,
                "{figure} of {question:#}"
            );
        }
    }
}

#[tokio::test]
async fn the_relay_is_measured_next_to_direct_tls() {
    let arguments = [
        "bench",
        "relay",
        "--seconds",
        "1",
        "--megabytes",
        "1",
        "--rounds",
        "1",
        "--json",
    ];
    let ended = Settings::default().run(&arguments).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let routes = report["routes"].as_array().unwrap();
    assert!(routes.len() >= 3, "{routes:?}");
    for route in routes {
        for figure in ["copy_out_mb_per_second", "copy_in_mb_per_second", "p50_ms"] {
            assert!(
                route[figure].as_f64().unwrap() > 0.0,
                "{figure} of {route:#}"
            );
        }
        let tps = route["tps"].as_array().unwrap();
        assert!(tps.len() == 3 && tps.iter().all(|tps| tps.as_f64().unwrap() > 0.0));
    }
}
