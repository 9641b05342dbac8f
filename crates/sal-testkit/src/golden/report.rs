//! What a replay found, and which of it numbered quirks explain.

use std::fmt;

/// The verdict over one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// As recorded.
    #[default]
    Same,
    /// A page whose status, type and redirect agree, but whose text or links differ.
    Soft,
    /// Not as recorded.
    Different,
    /// The original failed with a 5xx, and so did we.
    PeerErrorSame,
    /// The original failed with a 5xx, and we answered something else.
    PeerErrorDifferent,
}

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which scenario.
    pub scenario: String,
    /// All its steps, in order.
    pub steps: Vec<StepReport>,
    /// All compared tables as they were at the end.
    pub tables: Vec<TableReport>,
}

/// What came of a step.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// The step's id in the scenario.
    pub id: String,
    /// Method and path.
    pub request: String,
    /// What the step is about.
    pub title: String,
    /// The status we answered; 0 for no answer.
    pub status: u16,
    /// The status the original answered.
    pub expected_status: u16,
    /// The verdict.
    pub verdict: Verdict,
    /// Every difference, those of tables start with `tables/NAME`.
    pub reasons: Vec<String>,
    /// The answer is as recorded and this step changed the same rows as the original did,
    /// or left the same rows: its table differences come from an earlier step.
    pub inherited: bool,
}

/// What came of a table.
#[derive(Clone, Debug)]
pub struct TableReport {
    /// The table's name in the recordings.
    pub table: String,
    /// Every difference at the end of the scenario; empty when there is none.
    pub reasons: Vec<String>,
}

/// A difference that is wanted, as written down in `docs/compat/quirks.md`.
#[derive(Clone, Copy, Debug)]
pub struct Quirk {
    /// Its number, as `Q-012`.
    pub number: &'static str,
    /// The scenario it shows in.
    pub scenario: &'static str,
    /// The steps it shows in, by id.
    pub steps: &'static [&'static str],
    /// The tables it leaves different at the end.
    pub tables: &'static [&'static str],
    /// A reason is explained when it contains one of these; an empty list explains all.
    pub reasons: &'static [&'static str],
    /// What differs, in a sentence.
    pub what: &'static str,
}

/// How many steps and tables got which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Steps that are the same.
    pub same: usize,
    /// Pages that differ in text or links.
    pub soft: usize,
    /// Steps that differ, inherited differences included.
    pub different: usize,
    /// Of these, steps that only show what an earlier one left.
    pub inherited: usize,
    /// Failures of the original that we share.
    pub peer_error_same: usize,
    /// Failures of the original that we do not share.
    pub peer_error_different: usize,
    /// Tables that are the same at the end.
    pub tables_same: usize,
    /// Tables that differ at the end.
    pub tables_different: usize,
}

impl Quirk {
    fn explains(&self, scenario: &str, place: &str, places: &[&str], reason: &str) -> bool {
        self.scenario == scenario
            && places.contains(&place)
            && (self.reasons.is_empty() || self.reasons.iter().any(|part| reason.contains(part)))
    }
}

impl Report {
    /// Every difference that no quirk explains, one line each; empty is what a test wants.
    /// Steps the original failed at, softly differing pages, and inherited differences do
    /// not count; the step they were inherited from does, and so do the tables at the end.
    #[must_use]
    pub fn unexplained(&self, quirks: &[Quirk]) -> Vec<String> {
        let mut lines = Vec::new();
        for step in self.steps.iter().filter(|step| step.counts()) {
            for reason in &step.reasons {
                if !quirks
                    .iter()
                    .any(|quirk| quirk.explains(&self.scenario, &step.id, quirk.steps, reason))
                {
                    lines.push(format!(
                        "{} {} {} ({}): {reason}",
                        self.scenario, step.id, step.request, step.title
                    ));
                }
            }
        }
        for table in &self.tables {
            for reason in &table.reasons {
                if !quirks
                    .iter()
                    .any(|quirk| quirk.explains(&self.scenario, &table.table, quirk.tables, reason))
                {
                    lines.push(format!("{} at the end: {reason}", self.scenario));
                }
            }
        }
        lines
    }

    /// Quirks of this scenario that name a step or table where nothing differs (any more);
    /// a list of excuses must not rot.
    #[must_use]
    pub fn idle(&self, quirks: &[Quirk]) -> Vec<String> {
        let mut lines = Vec::new();
        for quirk in quirks
            .iter()
            .filter(|quirk| quirk.scenario == self.scenario)
        {
            for id in quirk.steps {
                let step = self.steps.iter().find(|step| step.id == *id);
                let used = step.is_some_and(|step| {
                    step.verdict == Verdict::PeerErrorDifferent
                        || step
                            .reasons
                            .iter()
                            .any(|reason| quirk.explains(&self.scenario, id, quirk.steps, reason))
                });
                if !used {
                    lines.push(format!(
                        "{}: step {id} of {} does not differ",
                        quirk.number, self.scenario
                    ));
                }
            }
            for name in quirk.tables {
                let table = self.tables.iter().find(|table| table.table == *name);
                let used = table.is_some_and(|table| {
                    table
                        .reasons
                        .iter()
                        .any(|reason| quirk.explains(&self.scenario, name, quirk.tables, reason))
                });
                if !used {
                    lines.push(format!(
                        "{}: table {name} of {} does not differ",
                        quirk.number, self.scenario
                    ));
                }
            }
        }
        lines
    }

    /// How many steps and tables got which verdict.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for step in &self.steps {
            *match step.verdict {
                Verdict::Same => &mut counts.same,
                Verdict::Soft => &mut counts.soft,
                Verdict::Different => &mut counts.different,
                Verdict::PeerErrorSame => &mut counts.peer_error_same,
                Verdict::PeerErrorDifferent => &mut counts.peer_error_different,
            } += 1;
            counts.inherited += usize::from(step.inherited);
        }
        counts.tables_different = self
            .tables
            .iter()
            .filter(|table| !table.reasons.is_empty())
            .count();
        counts.tables_same = self.tables.len() - counts.tables_different;
        counts
    }
}

impl StepReport {
    fn counts(&self) -> bool {
        self.verdict == Verdict::Different && !self.inherited
    }
}

impl fmt::Display for Report {
    /// Every step and table that is not the same, with its reasons.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self
            .steps
            .iter()
            .filter(|step| step.verdict != Verdict::Same)
        {
            let inherited = if step.inherited { " (inherited)" } else { "" };
            writeln!(
                f,
                "{:?}{inherited}: {} {} {} {}",
                step.verdict, self.scenario, step.id, step.request, step.title
            )?;
            for reason in &step.reasons {
                writeln!(f, "       {reason}")?;
            }
        }
        for table in self.tables.iter().filter(|table| !table.reasons.is_empty()) {
            writeln!(f, "Different at the end: {} {}", self.scenario, table.table)?;
            for reason in &table.reasons {
                writeln!(f, "       {reason}")?;
            }
        }
        writeln!(f, "{} {:?}", self.scenario, self.counts())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let step = |id: &str, verdict, reasons: &[&str], inherited| StepReport {
            id: id.to_owned(),
            request: "POST /checkin/".to_owned(),
            title: "t".to_owned(),
            status: 200,
            expected_status: 200,
            verdict,
            reasons: reasons.iter().map(ToString::to_string).collect(),
            inherited,
        };
        Report {
            scenario: "s".to_owned(),
            steps: vec![
                step("001", Verdict::Same, &[], false),
                step(
                    "002",
                    Verdict::Different,
                    &["status 200, expected 404", "body: x"],
                    false,
                ),
                step("003", Verdict::Different, &["tables/fact: 1"], true),
                step(
                    "004",
                    Verdict::PeerErrorDifferent,
                    &["status 400, expected 500"],
                    false,
                ),
                step("005", Verdict::Soft, &["page/text[0]: x"], false),
            ],
            tables: vec![
                TableReport {
                    table: "fact".to_owned(),
                    reasons: vec!["tables/fact: 1".to_owned()],
                },
                TableReport {
                    table: "plugin".to_owned(),
                    reasons: Vec::new(),
                },
            ],
        }
    }

    const QUIRK: Quirk = Quirk {
        number: "Q-001",
        scenario: "s",
        steps: &["002"],
        tables: &["fact"],
        reasons: &[],
        what: "it differs",
    };

    #[test]
    fn only_differences_without_a_quirk_are_unexplained() {
        let report = report();
        let all = report.unexplained(&[]);
        assert_eq!(all.len(), 3, "{all:?}");
        assert_eq!(report.unexplained(&[QUIRK]), Vec::<String>::new());
        let narrow = Quirk {
            reasons: &["status"],
            tables: &[],
            ..QUIRK
        };
        let left = report.unexplained(&[narrow]);
        assert_eq!(
            left,
            [
                "s 002 POST /checkin/ (t): body: x",
                "s at the end: tables/fact: 1"
            ]
        );
        assert_eq!(
            report
                .unexplained(&[Quirk {
                    scenario: "other",
                    ..QUIRK
                }])
                .len(),
            3
        );
    }

    #[test]
    fn a_quirk_that_explains_nothing_is_idle() {
        let report = report();
        assert_eq!(report.idle(&[QUIRK]), Vec::<String>::new());
        let rotten = Quirk {
            steps: &["001", "004", "999"],
            tables: &["plugin"],
            ..QUIRK
        };
        assert_eq!(
            report.idle(&[rotten]),
            [
                "Q-001: step 001 of s does not differ",
                "Q-001: step 999 of s does not differ",
                "Q-001: table plugin of s does not differ"
            ]
        );
    }

    #[test]
    fn verdicts_are_counted() {
        let counts = report().counts();
        let expected = Counts {
            same: 1,
            soft: 1,
            different: 2,
            inherited: 1,
            peer_error_same: 0,
            peer_error_different: 1,
            tables_same: 1,
            tables_different: 1,
        };
        assert_eq!(counts, expected);
    }
}
