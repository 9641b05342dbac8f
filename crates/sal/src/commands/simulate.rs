//! `sal simulate`: a seeded fleet checks in to any Sal server, the Django one too; or its rows fill a database.

pub(super) mod bulk;

use anyhow::{Context, Result};
use fake_fleet::{FleetOptions, Report, Simulation, simulate};
use serde_json::json;

use crate::cli::Simulate;
use crate::exit::Exit;
use crate::{output, wiring};

/// Runs a simulation; Ctrl-C ends it early and still reports.
pub(crate) async fn run(arguments: Simulate) -> Result<Exit> {
    let (Some(url), Some(key)) = (&arguments.url, &arguments.key) else {
        return bulk::run(&arguments).await;
    };
    let mut simulation = Simulation::new(url, key, wiring::clock()());
    simulation.fleet = FleetOptions {
        seed: arguments.seed,
        machines: arguments.machines,
        ..FleetOptions::default()
    };
    simulation.rate = arguments.rate;
    simulation.runs = arguments.runs;
    simulation.first_run = arguments.first_run;
    simulation.concurrency = arguments.concurrency;
    let interrupted = async {
        // Without a handler Ctrl-C ends the process, which is right too.
        let _ = tokio::signal::ctrl_c().await;
    };
    let report = simulate(&simulation, |_progress| {}, interrupted)
        .await
        .context("simulating a fleet")?;
    output::data(&if arguments.json {
        as_json(&report)?
    } else {
        as_text(&report)
    });
    let fine = report.ok == report.sent && report.unanswered == 0;
    Ok(if fine {
        Exit::Done
    } else {
        Exit::FoundProblems
    })
}

fn as_text(report: &Report) -> String {
    let rate = rate(report);
    let mut text = format!(
        "{} check-ins in {:.1} s ({rate:.1}/s), {} taken; p50 {:.1} ms, p99 {:.1} ms",
        report.sent,
        report.elapsed.as_secs_f64(),
        report.ok,
        report.p50.as_secs_f64() * 1000.0,
        report.p99.as_secs_f64() * 1000.0,
    );
    for (status, count) in &report.failed {
        text.push_str(&format!("\n{count} answered {status}"));
    }
    if report.unanswered > 0 {
        text.push_str(&format!("\n{} without an answer", report.unanswered));
    }
    if let Some(error) = &report.first_error {
        text.push_str(&format!("\nfirst failure: {error}"));
    }
    text
}

fn as_json(report: &Report) -> Result<String> {
    let value = json!({
        "sent": report.sent, "ok": report.ok, "failed": report.failed, "unanswered": report.unanswered,
        "late": report.late, "seconds": report.elapsed.as_secs_f64(), "checkins_per_second": rate(report),
        "p50_ms": report.p50.as_secs_f64() * 1000.0, "p99_ms": report.p99.as_secs_f64() * 1000.0,
        "body_bytes": report.body_bytes, "first_error": report.first_error,
    });
    serde_json::to_string_pretty(&value).context("writing the report")
}

fn rate(report: &Report) -> f64 {
    let sent = u32::try_from(report.sent).unwrap_or(u32::MAX);
    f64::from(sent) / report.elapsed.as_secs_f64().max(0.001)
}
