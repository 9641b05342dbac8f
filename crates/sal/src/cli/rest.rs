//! `sal api` and `sal export`: the REST API of a server, from elsewhere.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `sal api`.
#[derive(Debug, Args)]
pub(crate) struct Api {
    /// GET, POST, PUT, PATCH or DELETE.
    pub(crate) method: String,
    /// What is behind /api/v2/, such as `machines` or `machines/C02ABC`.
    pub(crate) path: String,
    /// Parameters of a GET, or fields of a body: `name=text`, or `name:=JSON` for numbers, lists, true, false and null.
    pub(crate) values: Vec<String>,
    /// Follow `next` to the end, and print a row in each line.
    #[arg(long)]
    pub(crate) paginate: bool,
}

/// `sal export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Lists of the API, such as `machines facts inventory`.
    #[arg(required = true)]
    pub(crate) lists: Vec<String>,
    /// Only rows of machines that this filter finds.
    #[arg(long)]
    pub(crate) filter: Option<String>,
    /// Another parameter of the list, such as `deployed=true` or `fields=serial,hostname`; several times for several.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) with: Vec<String>,
    /// What is written.
    #[arg(long, value_enum, default_value = "jsonl")]
    pub(crate) format: ExportFormat,
    /// A folder, in which each list becomes a file such as machines.jsonl when it is whole; s3://BUCKET/PREFIX for objects in S3; `-` for
    /// standard output.
    #[arg(long)]
    pub(crate) to: PathBuf,
    /// The region of the bucket, unless AWS_REGION or the profile names it.
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// Another S3 than AWS's, such as https://minio.example.org; also AWS_ENDPOINT_URL_S3.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// Leave out lists whose file is there: a run that was ended goes on where it was.
    #[arg(long)]
    pub(crate) resume: bool,
    /// How often a list is asked for when the server is busy or the connection breaks.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    pub(crate) tries: u32,
}

/// Kinds of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// JSON Lines.
    Jsonl,
    /// Comma separated values.
    Csv,
}
