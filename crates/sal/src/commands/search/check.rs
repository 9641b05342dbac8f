//! `sal search check`: each saved search in our words, and the machines that it finds here and in Sal.

use std::collections::BTreeSet;

use anyhow::Result;
use jiff::tz::TimeZone;
use sal_query::sal_search::{self, Difference};
use sal_store::{
    scope::Scope,
    searches::{Search as SavedSearch, compare},
};
use serde_json::{Value, json};
use tokio_postgres::Client;

use super::{condition, machines};
use crate::commands::by_hand::pretty;
use crate::exit::Exit;
use crate::{escape, output};

/// What is said of one search.
struct Verdict<'a> {
    search: &'a SavedSearch,
    /// The filter in words, or why there is none.
    text: Result<String, Vec<String>>,
    /// Serial numbers of the machines that it finds here.
    here: Option<BTreeSet<String>>,
    /// And in Sal, or why it finds none.
    in_sal: Result<BTreeSet<String>, String>,
    /// Why they may differ.
    differences: Vec<Difference>,
    /// Sal's rows find nothing because they cannot say the filter.
    is_unsayable: bool,
}

pub(super) async fn run(
    as_json: bool,
    all: &[SavedSearch],
    zone: &TimeZone,
    db: &Client,
) -> Result<Exit> {
    let mut verdicts = Vec::new();
    // One search after the other: each is two statements over the whole fleet.
    for search in all {
        verdicts.push(verdict(search, all, zone, db).await?);
    }
    if as_json {
        let list: Vec<Value> = verdicts.iter().map(Verdict::as_json).collect();
        output::data(&pretty(&Value::Array(list))?);
    } else {
        for verdict in &verdicts {
            output::data(&verdict.as_text());
        }
        output::note(&summary(&verdicts));
    }
    let is_fine = verdicts.iter().all(|verdict| verdict.text.is_ok());
    Ok(if is_fine {
        Exit::Done
    } else {
        Exit::FoundProblems
    })
}

async fn verdict<'a>(
    search: &'a SavedSearch,
    all: &[SavedSearch],
    zone: &TimeZone,
    db: &Client,
) -> Result<Verdict<'a>> {
    let in_sal = match search.sal.as_sal(zone) {
        Err(why) => Err(why),
        Ok(meaning) => match compare::machines_as_sal(&meaning, &Scope::All, db).await {
            Ok(Ok(found)) => Ok(found.into_iter().map(|machine| machine.serial).collect()),
            Ok(Err(too_large)) => Err(too_large.to_string()),
            Err(error) => Err(format!("could not be asked: {}", error.in_full())),
        },
    };
    let (mut text, mut here) = (search.text(), None);
    if let Ok(expr) = search.expr() {
        match condition(&expr, Some(search), all, zone) {
            Err(error) => text = Err(vec![error.to_string()]),
            Ok(condition) => {
                let found = machines(&condition, db).await?;
                here = Some(found.into_iter().map(|machine| machine.serial).collect());
            }
        }
    }
    let differences = match search.is_sals() {
        true => search.reading().differences,
        false => Vec::new(),
    };
    Ok(Verdict {
        search,
        text,
        here,
        in_sal,
        differences,
        is_unsayable: !search.is_sals() && search.sal == sal_search::nothing(),
    })
}

impl Verdict<'_> {
    fn only_here(&self) -> Vec<&str> {
        match (&self.here, &self.in_sal) {
            (Some(here), Ok(there)) => here.difference(there).map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    fn only_in_sal(&self) -> Vec<&str> {
        match (&self.here, &self.in_sal) {
            (Some(here), Ok(there)) => there.difference(here).map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    fn fails_in_sal(&self) -> Vec<String> {
        self.search.reading().fails_in_sal()
    }

    fn differs(&self) -> bool {
        !self.only_here().is_empty() || !self.only_in_sal().is_empty()
    }

    fn as_json(&self) -> Value {
        let why = self
            .differences
            .iter()
            .map(|difference| json!({"quirk": difference.quirk(), "why": difference.why()}));
        let mut why: Vec<Value> = why.collect();
        if self.is_unsayable {
            why.push(json!({"quirk": "Q-170", "why": UNSAYABLE}));
        }
        json!({
            "id": self.search.id.0, "name": self.search.name, "owner": self.search.owner_name,
            "is_sals": self.search.is_sals(),
            "filter": self.text.as_ref().ok(), "faults": self.text.as_ref().err().cloned().unwrap_or_default(),
            "machines": self.here.as_ref().map(BTreeSet::len),
            "machines_in_sal": self.in_sal.as_ref().ok().map(BTreeSet::len),
            "fails_in_sal": self.fails_in_sal(),
            "only_here": self.only_here(), "only_in_sal": self.only_in_sal(),
            "differences": why,
        })
    }

    fn as_text(&self) -> String {
        let mut lines = vec![format!(
            "{} ({})",
            self.search.title(),
            self.search.owner_name
        )];
        match &self.text {
            Ok(text) => lines.push(format!("  {text}")),
            Err(faults) => lines.extend(
                faults
                    .iter()
                    .map(|fault| format!("  cannot be read: {fault}")),
            ),
        }
        let here = self.here.as_ref().map(|found| counted(found.len()));
        let fails = self.fails_in_sal();
        let there = match &self.in_sal {
            _ if !fails.is_empty() => "Sal answers with an error".to_owned(),
            Ok(found) => format!("{} in Sal", found.len()),
            Err(why) => format!("in Sal: {why}"),
        };
        lines.push(match here {
            Some(here) => format!("  {here}, {there}"),
            None => format!("  {there}"),
        });
        for difference in &self.differences {
            lines.push(format!("  {}: {}", difference.quirk(), difference.why()));
        }
        if self.is_unsayable {
            lines.push(format!("  Q-170: {UNSAYABLE}"));
        }
        for (label, serials) in [
            ("only here", self.only_here()),
            ("only in Sal", self.only_in_sal()),
        ] {
            if !serials.is_empty() {
                lines.push(format!("  {label}: {}", few(&serials)));
            }
        }
        let lines: Vec<_> = lines.iter().map(|line| escape::line(line)).collect();
        lines.join("\n")
    }
}

fn counted(machines: usize) -> String {
    match machines {
        1 => "1 machine".to_owned(),
        many => format!("{many} machines"),
    }
}

fn few(serials: &[&str]) -> String {
    let shown: Vec<&str> = serials.iter().take(FEW).copied().collect();
    match serials.len().saturating_sub(FEW) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn summary(verdicts: &[Verdict<'_>]) -> String {
    let unread = verdicts.iter().filter(|verdict| verdict.text.is_err());
    let others = verdicts.iter().filter(|verdict| verdict.differs());
    let (unread, others) = (unread.count(), others.count());
    format!(
        "{} saved searches: {} find the same machines as in Sal, {others} others, {unread} cannot be read",
        verdicts.len(),
        verdicts.len().saturating_sub(unread + others),
    )
}

const UNSAYABLE: &str =
    "Sal's rows cannot say this filter; a Django Sal finds no machine by this search";
/// So many serial numbers are named.
const FEW: usize = 10;
