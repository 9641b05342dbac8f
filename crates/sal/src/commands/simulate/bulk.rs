//! `sal simulate --bulk`: the rows of a whole fleet, copied into a database.
//!
//! Threads make machines and read what they send, as the server would; two connections write them, some hundred at a
//! time. What is under way is bounded, so memory does not grow with the fleet.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::thread::available_parallelism;

use anyhow::{Context, Result, bail};
use fake_fleet::{Fleet, FleetOptions};
use jiff::{SignedDuration, Timestamp};
use sal_checkin::bulk::{Reading, Sent};
use sal_store::bulk::{self as rows, Counts, KnownApplications, NewMachine};
use sal_store::checkin::changes::ItemHistory;
use sal_store::groups::{insert_group, insert_unit};
use sal_store::ids::{GroupId, SourceId, time_ordered_uuid};
use sal_store::schema::{self, Found};
use sal_store::sources::{insert_sources, sources_by_name};
use serde_json::json;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_postgres::Client;

use crate::cli::Simulate;
use crate::exit::Exit;
use crate::{commands, output, wiring};

/// Fills the database of the environment.
pub(super) async fn run(arguments: &Simulate) -> Result<Exit> {
    let db = match commands::database().await? {
        Ok(db) => db,
        Err(exit) => return Ok(exit),
    };
    let has_some = rows::any_machine(&db)
        .await
        .context("looking for machines; `sal db init` makes the tables")?;
    if has_some.first().is_some_and(|any| any.found) && !arguments.add {
        output::problem("the database has machines already; `--add` puts more beside them");
        return Ok(Exit::NeedsConfirmation);
    }
    let wanted = Wanted {
        machines: arguments.machines,
        seed: arguments.seed,
        at: arguments.at.unwrap_or_else(|| wiring::clock()()),
        days: arguments.days,
    };
    let Ok(other) = commands::database().await? else {
        return Ok(Exit::Usage);
    };
    let started = Instant::now();
    let counts = fill(&wanted, vec![db, other]).await?;
    let seconds = started.elapsed().as_secs_f64();
    output::data(&if arguments.json {
        let report = json!({"machines": arguments.machines, "seconds": seconds, "rows": counts});
        serde_json::to_string_pretty(&report).context("writing the report")?
    } else {
        let all: u64 = counts.values().sum();
        let lines: String = counts
            .iter()
            .map(|(what, count)| format!("\n{count:>12} {what}"))
            .collect();
        format!("{all} rows in {seconds:.1} s{lines}")
    });
    Ok(Exit::Done)
}

/// A fleet to fill a database with.
#[derive(Debug, Clone, Copy)]
pub(in crate::commands) struct Wanted {
    /// How many machines that are not there yet.
    pub(in crate::commands) machines: u32,
    /// Of which seed.
    pub(in crate::commands) seed: u64,
    /// When the last of them checked in.
    pub(in crate::commands) at: Timestamp,
    /// How far back the history of their items goes.
    pub(in crate::commands) days: u32,
}

/// Fills a database; machines of the seed that are there are left as they are. Each connection is a writer.
pub(in crate::commands) async fn fill(wanted: &Wanted, mut writers: Vec<Client>) -> Result<Counts> {
    let db = writers.first().context("a connection")?;
    if schema::look(db).await? == Found::Nothing {
        bail!("the database has none of Sal's tables; `sal db init` makes them");
    }
    let missing = schema::missing_additions(db).await?;
    let filling = Arc::new(Filling {
        fleet: Fleet::new(FleetOptions {
            seed: wanted.seed,
            machines: wanted.machines,
            facts: FACTS,
            items: ITEMS,
        }),
        wanted: *wanted,
        groups: groups(wanted.machines, db).await?,
        remember: !missing.contains(&"0002-checkins"),
    });
    let numbers = filling.new_numbers(db).await?;
    for db in &writers {
        if !rows::trust_ids(db).await {
            output::note(
                "This login may not set `session_replication_role`: foreign keys are checked row by row, and it takes longer.",
            );
        }
    }
    let last = writers.pop().context("a connection")?;
    let (mut makers, batches) = filling.make(numbers);
    let batches = Arc::new(Mutex::new(batches));
    let mut writing = JoinSet::new();
    for db in writers {
        writing.spawn(Writer::new(&filling, db).work(Arc::clone(&batches)));
    }
    let (mut counts, last) = Writer::new(&filling, last).work(batches).await?;
    while let Some(ended) = writing.join_next().await {
        add(ended.context("a writer")??.0, &mut counts);
    }
    while let Some(ended) = makers.join_next().await {
        ended.context("making machines")??;
    }
    rows::analyze(&last).await.context("ANALYZE")?;
    Ok(counts)
}

/// What all threads and writers need to know.
struct Filling {
    fleet: Fleet,
    wanted: Wanted,
    groups: Vec<GroupId>,
    /// Whether our own tables are there.
    remember: bool,
}

/// Machines on their way: number and what it sent.
type Batch = Vec<(u32, Reading)>;

impl Filling {
    /// The first machines of the fleet that are not there.
    async fn new_numbers(&self, db: &Client) -> Result<Vec<u32>> {
        let there = rows::all_serials(db).await.context("reading serials")?;
        let there: HashSet<String> = there.into_iter().map(|known| known.serial).collect();
        let new = |number: &u32| !there.contains(self.fleet.machine(*number).serial());
        let count = usize::try_from(self.wanted.machines)?;
        Ok((0..u32::MAX).filter(new).take(count).collect())
    }

    /// Starts threads that make machines, each every so many of the batches.
    fn make(self: &Arc<Self>, numbers: Vec<u32>) -> (JoinSet<Result<()>>, mpsc::Receiver<Batch>) {
        let (sender, receiver) = mpsc::channel(2);
        let mut makers = JoinSet::new();
        let threads = available_parallelism().map_or(1, |cores| (cores.get() / 2).clamp(1, 4));
        let numbers = Arc::new(numbers);
        for thread in 0..threads {
            let (sender, numbers, filling) =
                (sender.clone(), Arc::clone(&numbers), Arc::clone(self));
            makers.spawn_blocking(move || {
                for batch in numbers.chunks(BATCH).skip(thread).step_by(threads) {
                    let read = |number: &u32| Ok((*number, filling.reading(*number)?));
                    let batch = batch.iter().map(read).collect::<Result<Batch>>()?;
                    // Nobody takes it: the writing failed and says why.
                    if sender.blocking_send(batch).is_err() {
                        break;
                    }
                }
                Ok(())
            });
        }
        (makers, receiver)
    }

    /// What a machine sends, as the server reads it.
    fn reading(&self, number: u32) -> Result<Reading> {
        let machine = self.fleet.machine(number);
        let at = before(self.wanted.at, machine.silence());
        let checkin = machine.checkin(0, at, "");
        let (inventory, profiles) = (machine.inventory_plist(0), machine.profiles_plist());
        let sent = Sent {
            checkin: &checkin.body,
            inventory: inventory.as_deref().map(str::as_bytes),
            profiles: profiles.as_deref().map(str::as_bytes),
            client: "sal simulate",
            at,
        };
        Reading::of(&sent).map_err(|why| anyhow::anyhow!("machine {number}: {why}"))
    }

    /// A machine's rows, and its past.
    fn machine(&self, number: u32, reading: Reading, sources: &Sources) -> NewMachine {
        let machine = self.fleet.machine(number);
        let place = usize::try_from(number).unwrap_or(0) * SPREAD % self.groups.len().max(1);
        let group = self.groups.get(place).copied().unwrap_or(GroupId(0));
        let at = self.wanted.at;
        let mut new = reading.into_machine(group, sources, self.remember, &mut || new_id(at));
        let days = self.wanted.days;
        if days == 0 {
            return new;
        }
        new.first_checkin = before(new.first_checkin, machine.age());
        let mut earlier = Vec::new();
        for line in &mut new.checkin.histories {
            let past = machine.item_past(&line.name, days);
            let now = line.recorded;
            line.recorded = before(now, past.since);
            if let Some(pending) = past.pending {
                earlier.push(ItemHistory {
                    id: new_id(at),
                    status: "PENDING".to_owned(),
                    recorded: before(now, pending),
                    ..line.clone()
                });
            }
        }
        new.checkin.histories.extend(earlier);
        new
    }
}

type Sources = HashMap<String, SourceId>;

/// A connection that writes machines, and what it knows of the database.
struct Writer {
    filling: Arc<Filling>,
    db: Client,
    sources: Sources,
    applications: KnownApplications,
    counts: Counts,
}

impl Writer {
    fn new(filling: &Arc<Filling>, db: Client) -> Self {
        Self {
            filling: Arc::clone(filling),
            db,
            sources: Sources::new(),
            applications: KnownApplications::default(),
            counts: Counts::new(),
        }
    }

    /// Writes until there are no more; how much it was.
    async fn work(
        mut self,
        batches: Arc<Mutex<mpsc::Receiver<Batch>>>,
    ) -> Result<(Counts, Client)> {
        loop {
            let batch = batches.lock().await.recv().await;
            let Some(batch) = batch else {
                return Ok((self.counts, self.db));
            };
            self.write(batch).await?;
        }
    }

    async fn write(&mut self, batch: Batch) -> Result<()> {
        self.know_sources(&batch).await?;
        let machines: Vec<NewMachine> = batch
            .into_iter()
            .map(|(number, reading)| self.filling.machine(number, reading, &self.sources))
            .collect();
        let counts = rows::copy_machines(&machines, &mut self.applications, &mut self.db)
            .await
            .context("copying machines")?;
        add(counts, &mut self.counts);
        Ok(())
    }

    async fn know_sources(&mut self, batch: &Batch) -> Result<()> {
        let sources = batch.iter().flat_map(|(_, reading)| reading.sources());
        let mut missing: Vec<String> = sources
            .filter(|name| !self.sources.contains_key(*name))
            .map(str::to_owned)
            .collect();
        missing.sort();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        let ids = missing
            .iter()
            .map(|_| new_id(self.filling.wanted.at))
            .collect();
        insert_sources(&self.db, &ids, &missing).await?;
        let known = sources_by_name(&self.db, &missing).await?;
        self.sources
            .extend(known.into_iter().map(|source| (source.name, source.id)));
        Ok(())
    }
}

fn add(counts: Counts, sum: &mut Counts) {
    for (what, count) in counts {
        *sum.entry(what).or_default() += count;
    }
}

fn before(at: Timestamp, time: SignedDuration) -> Timestamp {
    at.saturating_sub(time).unwrap_or(at)
}

/// The groups that are there; without any, business units with three groups each are made.
async fn groups(machines: u32, db: &Client) -> Result<Vec<GroupId>> {
    let there = rows::all_groups(db).await.context("reading groups")?;
    if !there.is_empty() {
        return Ok(there.into_iter().map(|group| group.id).collect());
    }
    let mut groups = Vec::new();
    let units = usize::try_from(machines / 1000)?.clamp(2, UNITS.len());
    for unit in UNITS.iter().take(units) {
        let made = insert_unit(db, unit).await.context("making a unit")?;
        let made = made.first().context("a business unit")?;
        for group in GROUPS {
            let key = commands::random_text(KEY_LENGTH);
            let made = insert_group(db, &made.id, &format!("{unit} {group}"), &key).await?;
            groups.extend(made.first().map(|group| group.id));
        }
    }
    Ok(groups)
}

fn new_id(at: Timestamp) -> uuid::Uuid {
    time_ordered_uuid(at, &mut rand::rng())
}

/// Facts and managed items of a Mac.
const FACTS: usize = 100;
const ITEMS: usize = 100;
/// Machines of one transaction.
const BATCH: usize = 250;
/// Machines that follow each other go into different groups.
const SPREAD: usize = 7919;
const UNITS: &[&str] = &[
    "Headquarters",
    "Engineering",
    "Design",
    "Finance",
    "Sales",
    "Support",
    "Research",
    "Education",
    "Logistics",
    "Berlin",
    "London",
    "Austin",
];
const GROUPS: &[&str] = &["Laptops", "Desktops", "Loaners"];
/// As long as Sal makes them.
const KEY_LENGTH: usize = 128;
