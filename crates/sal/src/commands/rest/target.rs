//! Where whole lists go: a folder, or a bucket. What is not whole has no name there.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rand::RngExt;
use tokio::fs::{self, File, OpenOptions};

use super::bucket::Bucket;
use crate::cli::Export;
use crate::exit::Exit;

/// Where whole lists go.
pub(super) enum Target {
    Folder(PathBuf),
    Bucket(Box<Bucket>),
}

impl Target {
    /// What `--to` names, or an exit code where it does not say enough.
    pub(super) async fn of(arguments: &Export) -> Result<Result<Self, Exit>> {
        let to = &arguments.to;
        match to.to_str().and_then(|to| to.strip_prefix("s3://")) {
            None => Ok(Ok(Self::Folder(to.clone()))),
            Some(address) => {
                let bucket = Bucket::of(address, arguments).await?;
                Ok(bucket.map(|bucket| Self::Bucket(Box::new(bucket))))
            }
        }
    }

    /// For people.
    pub(super) fn shown(&self, file: &str) -> String {
        match self {
            Self::Folder(folder) => folder.join(file).display().to_string(),
            Self::Bucket(bucket) => bucket.shown(file),
        }
    }

    /// Whether a file is there.
    pub(super) async fn has(&self, file: &str) -> Result<bool> {
        match self {
            Self::Folder(folder) => {
                let is_there = fs::try_exists(folder.join(file)).await;
                Ok(is_there.unwrap_or_default())
            }
            Self::Bucket(bucket) => bucket.has(file).await,
        }
    }

    /// What is written until it is whole.
    pub(super) async fn begin(&self, file: &str) -> Result<File> {
        match self {
            Self::Folder(folder) => {
                let part = part_of(folder, file);
                let mut options = OpenOptions::new();
                let open = private(options.create(true).truncate(true), &part).await;
                open.with_context(|| format!("writing `{}`", part.display()))
            }
            Self::Bucket(_) => scratch().await,
        }
    }

    /// Gives it its name, once it would be there after a power cut.
    pub(super) async fn keep(&self, file: &str, whole: File) -> Result<()> {
        match self {
            Self::Folder(folder) => {
                whole.sync_all().await.context("writing what came")?;
                let renamed = fs::rename(part_of(folder, file), folder.join(file)).await;
                renamed.with_context(|| format!("writing `{}`", self.shown(file)))
            }
            Self::Bucket(bucket) => bucket.put(file, whole).await,
        }
    }

    /// Takes away what did not become whole.
    pub(super) async fn give_up(&self, file: &str) {
        if let Self::Folder(folder) = self {
            let _gone = fs::remove_file(part_of(folder, file)).await;
        }
    }
}

fn part_of(folder: &Path, file: &str) -> PathBuf {
    folder.join(file).with_extension("part")
}

/// A file that has no name any more, so that it ends with this process.
async fn scratch() -> Result<File> {
    let name = format!("sal-export-{:016x}", rand::rng().random::<u64>());
    let path = std::env::temp_dir().join(name);
    let failed = || format!("writing `{}`; TMPDIR names another folder", path.display());
    let mut options = OpenOptions::new();
    let open = private(options.create_new(true).read(true), &path).await;
    let open = open.with_context(failed)?;
    fs::remove_file(&path).await.with_context(failed)?;
    Ok(open)
}

/// For its owner alone: lists may hold the keys of machine groups.
async fn private(options: &mut OpenOptions, path: &Path) -> std::io::Result<File> {
    options.write(true).mode(0o600).open(path).await
}
