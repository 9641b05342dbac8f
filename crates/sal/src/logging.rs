//! The log: stderr, for people or as JSON, with the libraries that speak of headers and secrets held back.

use tracing_subscriber::EnvFilter;

use crate::config::Environment;

/// How to log.
#[derive(Debug, Clone)]
pub(crate) struct LogConfig {
    filter: String,
    json: bool,
}

impl LogConfig {
    /// Reads the log's part of the environment.
    pub(crate) fn read(environment: &mut Environment) -> Self {
        let default = if environment.flag("DOCKER_SAL_DEBUG", false) {
            "debug"
        } else {
            "info"
        };
        let filter = environment
            .text("SAL_LOG")
            .unwrap_or_else(|| default.to_owned());
        if let Err(error) = EnvFilter::try_new(&filter) {
            environment.problem(format!("SAL_LOG=`{filter}` is not a log filter: {error}"));
        }
        let format = environment
            .text("SAL_LOG_FORMAT")
            .unwrap_or_else(|| "human".to_owned());
        if !["human", "json"].contains(&format.as_str()) {
            environment.problem(format!(
                "SAL_LOG_FORMAT=`{format}` is neither human nor json"
            ));
        }
        Self {
            filter,
            json: format == "json",
        }
    }

    /// Starts logging, once for the process.
    pub(crate) fn start(&self) {
        let mut filter = EnvFilter::try_new(&self.filter)
            .unwrap_or_else(|_checked_above| EnvFilter::new("info"));
        for directive in HELD_BACK {
            if let Ok(directive) = directive.parse() {
                filter = filter.add_directive(directive);
            }
        }
        let builder = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr);
        // A second start, as in a test, keeps the first.
        let _ = if self.json {
            builder.json().flatten_event(true).try_init()
        } else {
            builder.with_target(false).try_init()
        };
    }
}

/// These may log headers, bodies or credentials below this level, whatever SAL_LOG says.
const HELD_BACK: &[&str] = &[
    "aws_config=info",
    "aws_credential_types=info",
    "aws_runtime=info",
    "aws_sdk_sts=info",
    "aws_sigv4=info",
    "aws_smithy_http_client=info",
    "aws_smithy_runtime=info",
    "aws_smithy_runtime_api=info",
    "hyper=info",
    "hyper_util=info",
    "h2=info",
    "rustls=info",
    "tokio_postgres=info",
];
