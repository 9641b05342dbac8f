//! `sal reference`: the pages of `docs/reference/`, from the same tables the program runs on.

use clap::CommandFactory;
use pg_relay::Counters;
use sal_http::metric_names::METRICS;

use crate::cli::{Cli, Page};
use crate::config::env::former::FORMER;
use crate::config::env::variables;
use crate::exit::Exit;
use crate::output;

/// Prints a page.
pub(crate) fn run(page: Page) -> Exit {
    output::data(&match page {
        Page::Env => env(),
        Page::Cli => cli(),
        Page::Metrics => metrics(),
    });
    Exit::Done
}

fn env() -> String {
    let mut page = String::from(
        "# Environment variables\n\n| variable | value | default | since | meaning |\n|---|---|---|---|---|\n",
    );
    for variable in variables() {
        let default = match variable.shape.default_text() {
            none if none.is_empty() => "–".to_owned(),
            default => format!("`{default}`"),
        };
        page.push_str(&format!(
            "| `{}` | {} | {default} | {} | {} |\n",
            variable.name,
            variable.shape.values(),
            variable.since,
            variable.meaning
        ));
    }
    page.push_str("\nEvery secret can come from a file instead: `DB_PASS_FILE=/run/secrets/db_pass` names the file with DB_PASS, and so for each variable whose value is *secret*. One newline at its end is taken off. Setting both is a mistake, and so is a file that is missing, empty or not UTF-8.\n");
    page.push_str(&names_of_sal());
    page.push_str("\n## AWS credentials\n\nAWS credentials come from the usual sources, in the usual order: environment, profile, web identity (IRSA), container (ECS, EKS Pod Identity), instance metadata.");
    page
}

/// Sal's own names, and those that are tried in their place: which count, and what to do instead of the others.
fn names_of_sal() -> String {
    let mut page = String::from(
        "\n## Names of Sal's image\n\nEverything that is set and does nothing is named by a warning at the start of `sal serve` and by `sal db check`, misspelled names too. What Docker's `--link` and Kubernetes set by themselves is not.\n\n| name | here |\n|---|---|\n",
    );
    let counted = variables().filter(|variable| variable.since == "Sal");
    for variable in counted {
        page.push_str(&format!("| `{}` | counts, see above |\n", variable.name));
    }
    let (sals, tried): (Vec<_>, Vec<_>) = FORMER.iter().partition(|former| former.is_sals);
    for former in sals {
        page.push_str(&format!("| `{}` | {} |\n", former.name, former.instead));
    }
    page.push_str("\n## Names that are often tried\n\n| name | here |\n|---|---|\n");
    for former in tried {
        page.push_str(&format!("| `{}` | {} |\n", former.name, former.instead));
    }
    page
}

fn cli() -> String {
    let mut page = String::from("# Commands\n");
    let mut command = Cli::command();
    command.build();
    describe(&mut command, &mut page);
    page.trim_end().to_owned()
}

fn describe(command: &mut clap::Command, page: &mut String) {
    let name = command
        .get_bin_name()
        .unwrap_or(command.get_name())
        .to_owned();
    let help = command.render_long_help().to_string();
    let help = help
        .lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n");
    page.push_str(&format!(
        "\n## {name}\n\n```text\n{}\n```\n",
        help.trim_end()
    ));
    for inner in command
        .get_subcommands_mut()
        .filter(|inner| inner.get_name() != "help")
    {
        describe(inner, page);
    }
}

fn metrics() -> String {
    let mut page = String::from(
        "# Metrics\n\nAt `/metrics`, on the listener of `SAL_STATUS_LISTEN` or with the token of `SAL_STATUS_TOKEN`, in Prometheus's text format.\n\n| metric | meaning |\n|---|---|\n",
    );
    for (name, help) in METRICS {
        page.push_str(&format!("| `{name}` | {help} |\n"));
    }
    page.push_str("\n## sal relay\n\nAt `/metrics`, on the listener of `--health`.\n\n| metric | meaning |\n|---|---|\n");
    for (name, help) in Counters::metric_names() {
        page.push_str(&format!("| `{name}` | {help} |\n"));
    }
    page.trim_end().to_owned()
}
