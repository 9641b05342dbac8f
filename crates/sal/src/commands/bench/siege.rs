//! `sal bench siege`: a fleet checks in at a fixed rate, and one attack after the other is made on the same server.
//!
//! The check-ins are those of other machines: none of them is part of an attack. Each phase is followed by calm of the
//! same length as the recovery that is promised, and counts by itself, so that the table says how soon the server was as
//! before. The server runs in 512 MiB where the system lets us set that.

mod attacks;
mod fleet;
mod walls;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use fake_fleet::{Client, Yardstick};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use self::attacks::{Attack, Target};
use self::fleet::{Figures, Fleet};
use self::walls::Walls;
use super::stage::Stage;
use super::{fill, ours};
use crate::cli::BenchSiege;
use crate::exit::Exit;
use crate::output;

/// Runs it.
pub(super) async fn run(arguments: &BenchSiege) -> Result<Exit> {
    let stage = Stage::set(&[]).await?;
    let outcome = measure(&stage, arguments).await;
    stage.clear().await;
    let report = outcome?;
    if arguments.json {
        output::data(&serde_json::to_string_pretty(&report).context("writing the figures")?);
    }
    Ok(Exit::Done)
}

async fn measure(stage: &Stage, arguments: &BenchSiege) -> Result<serde_json::Value> {
    let client = Client::new(&stage.url, &stage.key, Duration::from_secs(8)).context("a client")?;
    let first = Yardstick::new(0, 0, true).submission(&stage.key);
    ours::send(&client, vec![first], 1).await?;
    fill::multiply(&stage.connect().await?, arguments.machines).await?;
    let admin = stage.connect_admin().await?;
    admin
        .batch_execute("VACUUM (ANALYZE)")
        .await
        .context("VACUUM")?;
    let target = Target::prepare(stage, &admin).await?;
    let walls = Walls::around(stage.server_pid().context("the server runs")?);
    output::note(&walls.words());
    let stop = CancellationToken::new();
    let fleet = Fleet::begin(client, stage, &target.status_url, arguments, &stop)?;
    let mut rows = Vec::new();
    if !arguments.json {
        output::data(Figures::HEADER);
    }
    for attack in Attack::ALL {
        if !arguments.only.is_empty() && !arguments.only.iter().any(|name| name == attack.name()) {
            continue;
        }
        let seconds = Duration::from_secs(arguments.seconds);
        let figures = during(&fleet, &target, attack, seconds).await?;
        rows.push(show(attack.name(), &figures, arguments));
        // Promised: as before within five seconds.
        tokio::time::sleep(RECOVERY).await;
        fleet.take();
        tokio::time::sleep(RECOVERY).await;
        rows.push(show("after it", &fleet.take(), arguments));
    }
    stop.cancel();
    fleet.end().await;
    Ok(
        json!({"walls": walls.words(), "machines": arguments.machines, "rate": arguments.rate, "phases": rows}),
    )
}

async fn during(
    fleet: &Fleet,
    target: &Arc<Target>,
    attack: Attack,
    time: Duration,
) -> Result<Figures> {
    let stop = CancellationToken::new();
    let attackers = attack.begin(target, &stop).await?;
    fleet.take();
    tokio::time::sleep(time).await;
    let mut figures = fleet.take();
    stop.cancel();
    attackers.close();
    attackers.wait().await;
    figures.attack = target.take_answers();
    Ok(figures)
}

fn show(name: &str, figures: &Figures, arguments: &BenchSiege) -> serde_json::Value {
    if !arguments.json {
        output::data(&figures.line(name));
    }
    figures.as_json(name)
}

const RECOVERY: Duration = Duration::from_secs(5);
