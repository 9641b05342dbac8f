//! A bucket of S3 as the target of `sal export`, or of whatever answers as S3 does.
//!
//! One PUT for each file, whose bytes are signed for: an object is whole or is not there. Who asks is found as for RDS; no
//! secret is in an address, a log or a message.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::body::Bytes;
use futures_util::stream::unfold;
use http_body::Frame;
use http_body_util::StreamBody;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rds_iam::{
    AwsClient, AwsHttp, BodyHash, ChainSettings, Clock, CredentialCache, CredentialChain,
    Partition, SignedRequest, sign_request,
};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::{Body, Method, Response, StatusCode, Url};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::cli::Export;
use crate::commands;
use crate::config::Environment;
use crate::config::aws::AwsConfig;
use crate::config::aws_names;
use crate::exit::Exit;
use crate::output;
use crate::wiring::{self, outbound::read_up_to};

/// A bucket, and the beginning of the names of what is put there.
pub(super) struct Bucket {
    name: String,
    prefix: String,
    region: String,
    /// Another address than AWS's; the bucket is a part of the path there.
    endpoint: Option<String>,
    tries: u32,
    http: AwsClient,
    credentials: CredentialCache,
    clock: Clock,
}

impl Bucket {
    /// The bucket of `s3://BUCKET/PREFIX`, or an exit code where something is not said.
    pub(super) async fn of(address: &str, arguments: &Export) -> Result<Result<Self, Exit>> {
        let (name, prefix) = match parts(address) {
            Ok(parts) => parts,
            Err(why) => return Ok(Err(unsaid(&why))),
        };
        let mut environment = Environment::read();
        let everywhere = environment.text("AWS_ENDPOINT_URL");
        let endpoint = environment.text("AWS_ENDPOINT_URL_S3").or(everywhere);
        let endpoint = arguments.endpoint_url.clone().or(endpoint);
        let aws = AwsConfig::read(&mut environment);
        if let Err(exit) = commands::checked(environment) {
            return Ok(Err(exit));
        }
        let clock = wiring::clock();
        let settings = ChainSettings {
            region: arguments.region.clone(),
            ca_bundle: aws.ca_bundle.clone(),
            ..ChainSettings::default()
        };
        let chain = CredentialChain::new(settings, Arc::clone(&clock));
        let Some(region) = chain.named_region().await else {
            let why = format!(
                "in which region is the bucket `{name}`? Name it with --region, or set AWS_REGION"
            );
            return Ok(Err(unsaid(&why)));
        };
        let region = match aws_names::region(&region) {
            Ok(region) => region,
            Err(why) => return Ok(Err(unsaid(&format!("the region {why}")))),
        };
        let http = AwsHttp {
            ca_bundle: aws.ca_bundle,
        };
        let bucket = Self {
            name,
            prefix,
            region,
            endpoint,
            tries: arguments.tries,
            http: http.client()?,
            credentials: CredentialCache::new(Arc::new(chain), Arc::clone(&clock)),
            clock,
        };
        Ok(match bucket.url("") {
            Ok(_) => Ok(bucket),
            Err(why) => Err(unsaid(&format!("{why:#}"))),
        })
    }

    /// For people.
    pub(super) fn shown(&self, file: &str) -> String {
        format!("s3://{}/{}{file}", self.name, self.prefix)
    }

    /// Whether a file is there.
    pub(super) async fn has(&self, file: &str) -> Result<bool> {
        let answer = self.ask(Method::HEAD, file, None).await?;
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(self.refusal("read", file, answer).await),
        }
    }

    /// Puts a whole file there; another try where it may help.
    pub(super) async fn put(&self, file: &str, mut from: File) -> Result<()> {
        let sent = Sent::of(&mut from, file).await?;
        let mut attempt = 1;
        loop {
            let asked = self.ask(Method::PUT, file, Some((&sent, &from))).await;
            let (why, may_pass) = match asked {
                Ok(answer) if answer.status() == StatusCode::OK => return Ok(()),
                Ok(answer) => {
                    let may_pass = answer.status().is_server_error();
                    (self.refusal("write", file, answer).await, may_pass)
                }
                Err(why) => {
                    let is_network = why.is::<reqwest::Error>();
                    (why, is_network)
                }
            };
            if !may_pass || attempt >= self.tries {
                return Err(why);
            }
            let next = attempt + 1;
            output::note(&format!(
                "{why:#}; try {next} of {} in {attempt} s",
                self.tries
            ));
            tokio::time::sleep(Duration::from_secs(u64::from(attempt))).await;
            attempt = next;
        }
    }

    /// Asks once.
    async fn ask(
        &self,
        method: Method,
        file: &str,
        put: Option<(&Sent, &File)>,
    ) -> Result<Response> {
        let url = self.url(file)?;
        let host = match (url.host_str().unwrap_or_default(), url.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let fetched = self.credentials.get().await;
        let fetched = fetched.context("no AWS credentials to write to S3 with")?;
        let empty = BodyHash::of(b"");
        let hash = put.map_or(empty.as_str(), |(sent, _)| &sent.hash);
        let hashed = [("x-amz-content-sha256", hash)];
        let signed = sign_request(
            &SignedRequest {
                method: method.as_str(),
                path: url.path(),
                service: "s3",
                region: &self.region,
                host: &host,
                headers: &hashed,
                body_sha256: hash,
                at: (self.clock)(),
            },
            &fetched.credentials,
        );
        let mut request = self.http.request(method, url).header(hashed[0].0, hash);
        for (name, value) in &signed {
            let value = HeaderValue::from_str(value);
            let mut value = value
                .ok()
                .context("the AWS credentials have characters that none have")?;
            value.set_sensitive(true);
            request = request.header(*name, value);
        }
        let mut patience = PATIENCE;
        if let Some((sent, from)) = put {
            patience += Duration::from_secs(sent.bytes / SLOWEST_BYTES);
            request = request
                .header(CONTENT_LENGTH, sent.bytes)
                .header(CONTENT_TYPE, sent.content_type)
                .body(body(from.try_clone().await?).await?);
        }
        let answer = request.timeout(patience).send().await;
        answer
            .map_err(reqwest::Error::without_url)
            .with_context(|| format!("{}: {host} does not answer", self.shown(file)))
    }

    /// The address of a file, with the path as it is signed.
    fn url(&self, file: &str) -> Result<Url> {
        let key = utf8_percent_encode(&self.prefix, KEPT).to_string() + file;
        let domain = Partition::of_region(&self.region).domain();
        let (name, region) = (&self.name, &self.region);
        let address = match &self.endpoint {
            Some(endpoint) => format!("{}/{name}/{key}", endpoint.trim_end_matches('/')),
            // The certificate of S3 is for one label before its name.
            None if name.contains('.') => format!("https://s3.{region}.{domain}/{name}/{key}"),
            None => format!("https://{name}.s3.{region}.{domain}/{key}"),
        };
        let url = Url::parse(&address).ok();
        let url = url.filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
        });
        url.context("--endpoint-url or AWS_ENDPOINT_URL_S3 is no address; write it as https://s3.example.org")
    }

    /// Why S3 did not do it, and what to do.
    async fn refusal(&self, verb: &str, file: &str, answer: Response) -> anyhow::Error {
        let status = answer.status();
        let elsewhere = answer.headers().get("x-amz-bucket-region");
        let elsewhere = elsewhere.and_then(|region| Some(region.to_str().ok()?.to_owned()));
        let body = read_up_to(LONGEST_REFUSAL, answer).await;
        let body = String::from_utf8_lossy(&body.unwrap_or_default()).into_owned();
        let code = element(&body, "Code").unwrap_or_default();
        let said = element(&body, "Message").unwrap_or_default();
        let elsewhere = elsewhere.or_else(|| element(&body, "Region").map(str::to_owned));
        let next = self.next_step(verb, (status, code), elsewhere.as_deref());
        let said = match (code, said) {
            ("", _) => String::new(),
            (code, "") => format!(" ({code})"),
            (code, said) => format!(" ({code}: {said})"),
        };
        let shown = self.shown(file);
        anyhow::anyhow!("{shown}: S3 answered {}{said}{next}", status.as_u16())
    }

    fn next_step(
        &self,
        verb: &str,
        (status, code): (StatusCode, &str),
        region: Option<&str>,
    ) -> String {
        let (bucket, prefix) = (&self.name, &self.prefix);
        match (status.as_u16(), code) {
            (_, "NoSuchBucket") => format!("; make the bucket `{bucket}`, or correct --to"),
            (_, "InvalidAccessKeyId" | "SignatureDoesNotMatch") => {
                "; the AWS access key is of another place, or its secret is wrong".to_owned()
            }
            (_, "ExpiredToken") => "; log in to AWS anew".to_owned(),
            (_, "RequestTimeTooSkewed") => "; set the clock of this machine".to_owned(),
            (301 | 307 | 400, _) if region.is_some_and(|region| region != self.region) => format!(
                "; the bucket is in another region: give --region {}",
                region.unwrap_or_default()
            ),
            (301 | 307, _) => "; the bucket is in another region: give it with --region".to_owned(),
            (403, _) => {
                let arn = Partition::of_region(&self.region).arn_name();
                let action = match verb {
                    "read" => format!(
                        "s3:GetObject there and s3:ListBucket on arn:{arn}:s3:::{bucket}, which --resume needs,"
                    ),
                    _ => "s3:PutObject there".to_owned(),
                };
                format!(
                    "; allow {action} to whose credentials these are: arn:{arn}:s3:::{bucket}/{prefix}*"
                )
            }
            _ => String::new(),
        }
    }
}

/// What is put somewhere.
struct Sent {
    bytes: u64,
    hash: String,
    content_type: &'static str,
}

impl Sent {
    async fn of(from: &mut File, file: &str) -> Result<Self> {
        // What is still on its way to the file is a part of it.
        from.flush().await.context("writing what came")?;
        from.rewind().await?;
        let (mut bytes, mut hash) = (0, BodyHash::default());
        let mut part = vec![0; PART_BYTES];
        loop {
            let count = from.read(&mut part).await.context("reading what came")?;
            match part.get(..count) {
                Some(read) if count > 0 => hash.add(read),
                _ => break,
            }
            bytes += u64::try_from(count)?;
            ensure!(
                bytes <= MOST_BYTES,
                "{file} is larger than 5 GiB, which is all that S3 takes at once: give --to a folder and copy the file by `aws s3 cp`, or make it smaller with --filter"
            );
        }
        let content_type = match file.ends_with(".csv") {
            true => "text/csv; charset=utf-8",
            false => "application/jsonl",
        };
        Ok(Self {
            bytes,
            hash: hash.hex(),
            content_type,
        })
    }
}

/// A file from its beginning, part by part.
async fn body(mut from: File) -> Result<Body> {
    from.rewind().await?;
    let parts = unfold(from, |mut from| async move {
        let mut part = vec![0; PART_BYTES];
        match from.read(&mut part).await {
            Ok(0) => None,
            Ok(count) => {
                part.truncate(count);
                Some((Ok(Frame::data(Bytes::from(part))), from))
            }
            Err(error) => Some((Err(error), from)),
        }
    });
    Ok(Body::wrap(StreamBody::new(Box::pin(parts))))
}

/// Bucket and prefix; the prefix ends in a slash or is empty.
fn parts(address: &str) -> Result<(String, String), String> {
    let (bucket, prefix) = address.split_once('/').unwrap_or((address, ""));
    let is_name =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(is_name) {
        return Err(format!(
            "`{bucket}` is no bucket; write --to s3://BUCKET or s3://BUCKET/PREFIX"
        ));
    }
    let prefix = prefix.trim_end_matches('/');
    if prefix.split('/').any(|part| matches!(part, "." | "..")) || prefix.starts_with('/') {
        return Err(format!(
            "`{prefix}` has a part that is no name; correct --to"
        ));
    }
    let end = if prefix.is_empty() { "" } else { "/" };
    Ok((bucket.to_owned(), format!("{prefix}{end}")))
}

fn unsaid(why: &str) -> Exit {
    output::problem(why);
    Exit::Usage
}

/// The text of the first element of this name, which has none below it.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text)
}

/// As Signature Version 4 has paths: RFC 3986, and slashes.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');
/// AWS, "Amazon S3 multipart upload limits": what one PUT may have.
const MOST_BYTES: u64 = 5 * 1024 * 1024 * 1024;
const PART_BYTES: usize = 128 * 1024;
/// A network that carries less in a second is taken for broken.
const SLOWEST_BYTES: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(60);
const LONGEST_REFUSAL: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_bucket_and_perhaps_a_prefix() {
        for (address, bucket, prefix) in [
            ("dumps", "dumps", ""),
            ("dumps/", "dumps", ""),
            (
                "my.dumps-1/sal/2026-01-02/",
                "my.dumps-1",
                "sal/2026-01-02/",
            ),
        ] {
            assert_eq!(parts(address), Ok((bucket.to_owned(), prefix.to_owned())));
        }
        for address in [
            "",
            "/x",
            "Dumps",
            "a b/c",
            "dumps/../x",
            "dumps//x",
            "u:p@h/x",
        ] {
            assert!(parts(address).is_err(), "{address}");
        }
    }

    #[test]
    fn what_s3_says_is_found_in_its_xml() {
        let xml = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>No such</Message></Error>";
        assert_eq!(element(xml, "Code"), Some("NoSuchBucket"));
        assert_eq!(element(xml, "Region"), None);
        assert_eq!(element("<Code>half", "Code"), None);
    }
}
