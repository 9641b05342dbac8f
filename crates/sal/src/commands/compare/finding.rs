//! What was compared, what differs, and why that may be so.

use serde_json::{Value, json};

use super::known;

/// One kind of thing that was compared.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) equal: usize,
    pub(super) findings: Vec<Finding>,
}

/// One difference.
#[derive(Debug)]
pub(super) struct Finding {
    /// What was asked for.
    pub(super) what: String,
    /// What each said.
    pub(super) how: String,
    /// The number of the quirk that explains it.
    pub(super) quirk: Option<&'static str>,
}

impl Part {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            equal: 0,
            findings: Vec::new(),
        }
    }

    /// Takes down what two answers have in common, or do not.
    pub(super) fn note(&mut self, what: &str, how: Option<String>, quirk: Option<&'static str>) {
        match how {
            None => self.equal = self.equal.saturating_add(1),
            Some(how) => self.findings.push(Finding {
                what: what.to_owned(),
                how,
                quirk,
            }),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let findings = self.findings.iter().map(|finding| {
            json!({
                "what": finding.what,
                "difference": finding.how,
                "quirk": finding.quirk,
                "why": finding.quirk.and_then(known::reason),
            })
        });
        json!({
            "part": self.name,
            "equal": self.equal,
            "differences": findings.collect::<Vec<_>>(),
        })
    }

    pub(super) fn to_text(&self) -> String {
        let explained = self
            .findings
            .iter()
            .filter(|finding| finding.quirk.is_some())
            .count();
        let mut text = format!("{}: {} equal", self.name, self.equal);
        if !self.findings.is_empty() {
            let open = self.findings.len().saturating_sub(explained);
            text.push_str(&format!(
                ", {open} different, {explained} that may be on purpose"
            ));
        }
        for finding in &self.findings {
            text.push_str(&format!("\n  {}: {}", finding.what, finding.how));
            if let Some(quirk) = finding.quirk {
                let why = known::reason(quirk).unwrap_or_default();
                text.push_str(&format!("\n    may be on purpose, {quirk}: {why}"));
            }
        }
        text
    }
}
