//! `sal reference`: the pages of `docs/reference/`, from the same tables the program runs on.

use clap::CommandFactory;
use pg_relay::Counters;
use sal_http::metric_names::METRICS;

use crate::cli::{Cli, Page};
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
    page.push_str("\nAWS credentials come from the usual sources, in the usual order: environment, profile, web identity (IRSA), container (ECS, EKS Pod Identity), instance metadata.");
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
