//! `sal export`: whole lists as files. A file has its name only when its last line proved that nothing is missing.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::{Method, Response, StatusCode, Url};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::proof::Proof;
use super::target::Target;
use super::{Server, refusal};
use crate::cli::{Export, ExportFormat};
use crate::exit::Exit;
use crate::output;

/// Asks for one list after another.
pub(crate) async fn run(arguments: Export) -> Result<Exit> {
    let is_output = arguments.to == Path::new("-");
    if is_output && arguments.lists.len() > 1 {
        output::problem("standard output takes one list; give a folder with --to for several");
        return Ok(Exit::Usage);
    }
    let pairs = arguments.with.iter().map(|pair| pair.split_once('='));
    let Some(mut pairs) = pairs.collect::<Option<Vec<_>>>() else {
        output::problem("--with takes NAME=VALUE");
        return Ok(Exit::Usage);
    };
    if let Some(filter) = &arguments.filter {
        pairs.push(("filter", filter));
    }
    pairs.push(("strict", "1"));
    let server = match Server::of_environment()? {
        Ok(server) => server,
        Err(exit) => return Ok(exit),
    };
    let target = match Target::of(&arguments).await? {
        Ok(target) => target,
        Err(exit) => return Ok(exit),
    };
    for list in &arguments.lists {
        let mut url = server.address(list)?;
        url.query_pairs_mut().extend_pairs(&pairs);
        let wanted = Wanted {
            list,
            url,
            format: arguments.format,
        };
        let exit = match is_output {
            true => wanted.print(&server).await?,
            false => wanted.keep(&target, &arguments, &server).await?,
        };
        if exit != Exit::Done {
            return Ok(exit);
        }
    }
    Ok(Exit::Done)
}

/// A list.
struct Wanted<'a> {
    list: &'a str,
    url: Url,
    format: ExportFormat,
}

/// Where it goes.
enum Sink {
    Output,
    File(File),
}

impl Sink {
    /// False when nobody takes it any more.
    async fn take(&mut self, part: &[u8]) -> Result<bool> {
        match self {
            Self::Output => Ok(output::part(part)),
            Self::File(file) => {
                let written = file.write_all(part).await;
                written.map(|()| true).context("writing what came")
            }
        }
    }
}

/// Why a list did not come.
enum Missed {
    /// Another try may help, after this time.
    ForNow(String, Option<Duration>),
    /// It may not.
    ForGood(String),
}

impl Wanted<'_> {
    /// To standard output. What broke off is out already, so that there is one try.
    async fn print(&self, server: &Server) -> Result<Exit> {
        match self.copy(&mut Sink::Output, server).await? {
            Ok(rows) => {
                output::note(&format!("{}: {rows} rows", self.list));
                Ok(Exit::Done)
            }
            Err(Missed::ForNow(why, _) | Missed::ForGood(why)) => {
                output::problem(&why);
                Ok(Exit::Failed)
            }
        }
    }

    /// To a file.
    async fn keep(&self, target: &Target, arguments: &Export, server: &Server) -> Result<Exit> {
        let file = self.file();
        let shown = target.shown(&file);
        if arguments.resume && target.has(&file).await? {
            output::note(&format!("{shown} is there"));
            return Ok(Exit::Done);
        }
        for attempt in 1..=arguments.tries {
            let mut sink = Sink::File(target.begin(&file).await?);
            let missed = match (self.copy(&mut sink, server).await?, sink) {
                (Ok(rows), Sink::File(whole)) => {
                    target.keep(&file, whole).await?;
                    output::note(&format!("{shown}: {rows} rows"));
                    return Ok(Exit::Done);
                }
                (Ok(_), Sink::Output) => return Ok(Exit::Done),
                (Err(missed), _) => missed,
            };
            let (why, wait) = match missed {
                Missed::ForNow(why, wait) if attempt < arguments.tries => (why, wait),
                Missed::ForNow(why, _) | Missed::ForGood(why) => {
                    target.give_up(&file).await;
                    output::problem(&why);
                    return Ok(Exit::Failed);
                }
            };
            let wait = wait
                .unwrap_or_else(|| Duration::from_secs(u64::from(attempt)))
                .min(LONGEST_WAIT);
            output::note(&format!(
                "{why}; try {} of {} in {} s",
                attempt + 1,
                arguments.tries,
                wait.as_secs()
            ));
            tokio::time::sleep(wait).await;
        }
        Ok(Exit::Failed)
    }

    fn file(&self) -> String {
        let name = self.list.trim_matches('/').replace('/', "-");
        match self.format {
            ExportFormat::Jsonl => format!("{name}.jsonl"),
            ExportFormat::Csv => format!("{name}.csv"),
        }
    }

    /// Copies the list; how many rows it has, when it is whole.
    async fn copy(&self, out: &mut Sink, server: &Server) -> Result<Result<u64, Missed>> {
        let kind = match self.format {
            ExportFormat::Jsonl => "application/jsonl",
            ExportFormat::Csv => "text/csv",
        };
        let request = server.request(Method::GET, self.url.clone())?;
        let list = self.list;
        let mut answer = match request.header("accept", kind).send().await {
            Ok(answer) if answer.status() == StatusCode::OK => answer,
            Ok(answer) => return Ok(Err(missed(list, answer).await)),
            Err(error) => {
                let error = anyhow::Error::from(error.without_url());
                return Ok(Err(Missed::ForNow(
                    format!("{list}: SAL_URL does not answer: {error:#}"),
                    None,
                )));
            }
        };
        let mut proof = Proof::new(self.format);
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => {
                    proof.read(&chunk);
                    if !out.take(&chunk).await? {
                        return Ok(Err(Missed::ForGood(format!("{list}: nobody reads it"))));
                    }
                }
                Ok(None) => break,
                Err(_broke_off) => return Ok(Err(broke_off(list))),
            }
        }
        Ok(proof.rows().ok_or_else(|| broke_off(list)))
    }
}

fn broke_off(list: &str) -> Missed {
    Missed::ForNow(
        format!("{list} broke off: it has no last line that counts its rows"),
        None,
    )
}

async fn missed(list: &str, answer: Response) -> Missed {
    let status = answer.status();
    let wait = answer
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok());
    let wait = wait
        .and_then(|seconds| seconds.parse().ok())
        .map(Duration::from_secs);
    let why = refusal(list, answer).await;
    match status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
        true => Missed::ForNow(why, wait),
        false => Missed::ForGood(why),
    }
}

const LONGEST_WAIT: Duration = Duration::from_secs(120);
