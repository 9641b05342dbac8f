//! Where the move to IAM stands, from the journal that `sal iam apply`, `finalize` and `rollback` leave in the database.

use jiff::Timestamp;
use sal_http::database_status::LoginMode;
use sal_store::{
    Client, StoreError,
    database::{CutoverJournal, CutoverLine, cutover_journal, cutover_lines},
};

use crate::wording::Moment;

/// The move, worded.
pub(super) struct Cutover {
    pub(super) tone: &'static str,
    pub(super) word: &'static str,
    pub(super) sentence: String,
    /// Commands that come next.
    pub(super) next: Vec<&'static str>,
    /// The last commands, newest first.
    pub(super) history: Vec<Line>,
}

/// A line of the journal that speaks of a whole command, or of a step that did not work.
pub(super) struct Line {
    pub(super) moment: Moment,
    pub(super) what: String,
    pub(super) tone: &'static str,
    pub(super) result: &'static str,
    pub(super) who: String,
    pub(super) note: String,
}

/// What the journal says.
pub(super) struct Journal {
    table: CutoverJournal,
    /// Newest first.
    lines: Vec<CutoverLine>,
}

impl Journal {
    pub(super) async fn read(db: &Client) -> Result<Self, StoreError> {
        let found = cutover_journal(db).await?.into_iter().next();
        let table = found.unwrap_or(CutoverJournal {
            exists: false,
            readable: false,
        });
        let lines = if table.readable {
            cutover_lines(LINES, db).await?
        } else {
            Vec::new()
        };
        Ok(Self { table, lines })
    }

    /// Who ran the last command.
    pub(super) fn administrator(&self) -> Option<&str> {
        let name = self.lines.first().map(|line| line.database_user.as_str());
        name.filter(|name| !name.is_empty())
    }

    pub(super) fn worded(&self, mode: LoginMode, moment: &impl Fn(Timestamp) -> Moment) -> Cutover {
        let (tone, word, sentence, next) = state(&self.table, &self.lines, mode);
        let told = self.lines.iter().filter(|line| is_told(line)).take(TOLD);
        Cutover {
            tone,
            word,
            sentence: sentence.to_owned(),
            next: next.to_vec(),
            history: told.map(|line| worded(line, moment(line.at))).collect(),
        }
    }
}

/// Tone, word, sentence, and the commands that come next.
type State = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

fn state(table: &CutoverJournal, lines: &[CutoverLine], mode: LoginMode) -> State {
    if table.exists && !table.readable {
        return (
            "warn",
            "Not known",
            "The journal of the move is in this database, and this login may not read it.",
            &["sal iam status"],
        );
    }
    let Some(newest) = lines.first() else {
        return match mode {
            LoginMode::Password => (
                "plain",
                "Not begun",
                "This server logs in with a password. The first command says what stands in the way of IAM, the second what would be done.",
                &["sal iam doctor", "sal iam plan"],
            ),
            LoginMode::Iam => (
                "plain",
                "No journal here",
                "This server logs in with IAM; the move was not made with this tool, or its journal is in a file.",
                &["sal iam status"],
            ),
        };
    };
    let again = again(&newest.command);
    match (newest.step.is_empty(), newest.phase.as_str()) {
        (true, "done") => finished(&newest.command),
        (false, "failed" | "undone" | "left") => (
            "bad",
            "Stopped at a step",
            "A step did not work. What was done before it stays; the same command continues from there once the reason is gone.",
            again,
        ),
        _ => (
            "warn",
            "Under way, or interrupted",
            "A command began and has not ended. If nobody runs it now, the same command continues it.",
            again,
        ),
    }
}

fn finished(command: &str) -> State {
    match command {
        "apply" => (
            "ok",
            "Applied",
            "The old user logs in with its password, the new one with IAM tokens. Each step was verified.",
            &["sal iam verify", "sal iam finalize"],
        ),
        "finalize" => (
            "ok",
            "Finalized",
            "The old user's login is switched off; only IAM tokens open connections.",
            &["sal iam verify"],
        ),
        "rollback" => (
            "plain",
            "Rolled back",
            "Everything is as it was before the move.",
            &["sal iam plan"],
        ),
        _ => (
            "plain",
            "Done",
            "The last command was carried out.",
            &["sal iam status"],
        ),
    }
}

fn again(command: &str) -> &'static [&'static str] {
    match command {
        "apply" => &["sal iam apply"],
        "finalize" => &["sal iam finalize"],
        "rollback" => &["sal iam rollback"],
        _ => &["sal iam status"],
    }
}

fn is_told(line: &CutoverLine) -> bool {
    line.step.is_empty() || matches!(line.phase.as_str(), "failed" | "undone" | "left")
}

fn worded(line: &CutoverLine, moment: Moment) -> Line {
    let (tone, result) = match line.phase.as_str() {
        "done" => ("ok", "Done"),
        "started" => ("info", "Begun"),
        "undone" => ("warn", "Undone"),
        "left" => ("bad", "Failed, not undone"),
        _ => ("bad", "Failed"),
    };
    let what = match line.step.as_str() {
        "" => format!("sal iam {}", line.command),
        step => format!("sal iam {}: {step}", line.command),
    };
    let who = [&line.database_user, &line.system_user];
    let who: Vec<_> = who
        .into_iter()
        .filter(|name| !name.is_empty())
        .cloned()
        .collect();
    Line {
        moment,
        what,
        tone,
        result,
        who: who.join(", "),
        note: line.note.clone(),
    }
}

/// Lines of the journal that are read: more than two whole moves.
const LINES: i64 = 200;
/// Lines that are shown.
const TOLD: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn line(command: &str, step: &str, phase: &str) -> CutoverLine {
        CutoverLine {
            seq: 1,
            at: Timestamp::UNIX_EPOCH,
            command: command.to_owned(),
            step: step.to_owned(),
            phase: phase.to_owned(),
            database_user: "postgres".to_owned(),
            system_user: "anna on desk".to_owned(),
            note: String::new(),
        }
    }

    #[test]
    fn the_newest_line_says_where_the_move_stands_and_what_comes_next() {
        let there = CutoverJournal {
            exists: true,
            readable: true,
        };
        for (newest, word, next) in [
            (line("apply", "", "done"), "Applied", "sal iam verify"),
            (line("finalize", "", "done"), "Finalized", "sal iam verify"),
            (line("rollback", "", "done"), "Rolled back", "sal iam plan"),
            (
                line("apply", "", "started"),
                "Under way, or interrupted",
                "sal iam apply",
            ),
            (
                line("finalize", "x", "done"),
                "Under way, or interrupted",
                "sal iam finalize",
            ),
            (
                line("rollback", "x", "left"),
                "Stopped at a step",
                "sal iam rollback",
            ),
            (
                line("<b>", "x", "failed"),
                "Stopped at a step",
                "sal iam status",
            ),
        ] {
            let found = state(&there, &[newest], LoginMode::Password);
            assert_eq!((found.1, found.3[0]), (word, next));
        }
    }

    #[test]
    fn without_a_journal_the_way_of_logging_in_decides() {
        let none = CutoverJournal {
            exists: false,
            readable: false,
        };
        assert_eq!(state(&none, &[], LoginMode::Password).1, "Not begun");
        assert_eq!(state(&none, &[], LoginMode::Iam).1, "No journal here");
        let hidden = CutoverJournal {
            exists: true,
            readable: false,
        };
        assert_eq!(state(&hidden, &[], LoginMode::Iam).1, "Not known");
    }
}
