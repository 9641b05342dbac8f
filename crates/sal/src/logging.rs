//! The log: stderr, for people or as JSON, with the libraries that speak of headers and secrets held back.

use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::Environment;
use crate::escape::LineWriter;
use crate::output;

/// How to log.
#[derive(Debug, Clone)]
pub(crate) struct LogConfig {
    filter: String,
    pub(crate) json: bool,
}

impl LogConfig {
    /// Reads the log's part of the environment.
    pub(crate) fn read(environment: &mut Environment) -> Self {
        let declared = match environment.flag("DOCKER_SAL_DEBUG") {
            true => Some("debug".to_owned()),
            false => environment.text("SAL_LOG"),
        };
        let filter = environment.given("SAL_LOG").or(declared);
        let filter = filter.unwrap_or_default();
        if let Err(error) = EnvFilter::try_new(&filter) {
            environment.problem(format!("SAL_LOG=`{filter}` is not a log filter: {error}"));
        }
        // A word that is no level is taken for a part of the program, and everything else falls silent.
        for word in filter
            .split(',')
            .map(str::trim)
            .filter(|part| !part.contains('='))
        {
            let is_level = LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
            if !word.is_empty() && !is_level {
                environment.problem(format!(
                    "SAL_LOG: `{word}` is no level; write {}, or directives such as sal_checkin=debug",
                    LEVELS.join(", ")
                ));
            }
        }
        let format = environment.word("SAL_LOG_FORMAT");
        Self {
            filter,
            json: format == "json",
        }
    }

    /// Starts logging, once for the process.
    pub(crate) fn start(&self) {
        let filter = EnvFilter::try_new(&self.filter)
            .unwrap_or_else(|_checked_above| EnvFilter::new("info"));
        // A filter of its own: a directive for a part of a library would win over one for the whole.
        let held_back = filter_fn(|metadata| !is_held_back(metadata.level(), metadata.target()));
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(|| LineWriter(output::log()))
            .log_internal_errors(false);
        let lines = if self.json {
            lines.json().flatten_event(true).boxed()
        } else {
            lines.with_target(false).boxed()
        };
        let log = tracing_subscriber::registry()
            .with(filter)
            .with(held_back)
            .with(lines);
        // A second start, as in a test, keeps the first.
        let _ = log.try_init();
    }
}

fn is_held_back(level: &Level, target: &str) -> bool {
    let library = target.split("::").next().unwrap_or(target);
    // Postgres's notices, such as "relation already exists, skipping", come at this level and are no news to anybody.
    let is_notice = *level > Level::WARN && library == "tokio_postgres";
    is_notice || (*level > Level::INFO && HELD_BACK.contains(&library))
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// These may log headers, bodies or credentials below this level, whatever SAL_LOG says.
const HELD_BACK: &[&str] = &[
    "aws_config",
    "aws_credential_types",
    "aws_runtime",
    "aws_sdk_sts",
    "aws_sigv4",
    "aws_smithy_http_client",
    "aws_smithy_runtime",
    "aws_smithy_runtime_api",
    "hyper",
    "hyper_util",
    "h2",
    "rustls",
    // Whole addresses: set-up links, codes of single sign-on.
    "tower_http",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_level_is_a_mistake_and_directives_are_not() {
        for (written, is_good) in [
            ("info", true),
            ("WARN,sal_checkin=debug", true),
            ("off", true),
            ("WARNING", false),
            ("inof", false),
            ("tcp://1:1", false),
        ] {
            let mut environment = Environment::of([("SAL_LOG", written)]);
            LogConfig::read(&mut environment);
            assert_eq!(environment.finish().is_ok(), is_good, "{written}");
        }
    }
}
