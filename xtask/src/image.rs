//! `cargo xtask image`: the container image, from the program to the tag, the same bytes each time.
//!
//! The program is linked statically against glibc (ADR 12), without the rehearsal, so that nothing in the image can
//! fill or fake a database in use. Everything that would put this machine's paths or the clock into the image is kept out.

mod bill;
mod program;
mod settled;
mod trial;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use self::program::{Program, Target};
pub(crate) use self::trial::{Trial, trial};
use crate::output;

/// Which image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The server alone.
    Server,
    /// The server and a shell.
    Debug,
    /// The rehearsal and a Postgres.
    Rehearsal,
}

impl Kind {
    /// As it is written on the command line.
    pub(crate) fn of(word: &str) -> Option<Self> {
        match word {
            "server" => Some(Self::Server),
            "debug" => Some(Self::Debug),
            "rehearsal" => Some(Self::Rehearsal),
            _ => None,
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Server => "Containerfile",
            Self::Debug => "Containerfile.debug",
            Self::Rehearsal => "Containerfile.rehearsal",
        }
    }

    /// The profile is part of it, so that nobody ships what was built for the tests.
    fn tag(self, profile: &str, target: &Target) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let kind = match self {
            Self::Server => "",
            Self::Debug => "-debug",
            Self::Rehearsal => "-rehearsal",
        };
        let foreign = if target.is_foreign {
            format!("-{}", target.arch())
        } else {
            String::new()
        };
        match profile {
            "release" => format!("sal:{version}{kind}{foreign}"),
            other => format!("sal:{version}{kind}{foreign}-{other}"),
        }
    }
}

/// What to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order<'a> {
    pub(crate) kind: Kind,
    /// One of cargo's profiles.
    pub(crate) profile: &'a str,
    /// One of rustc's targets; this machine's without it.
    pub(crate) target: Option<&'a str>,
}

impl<'a> Order<'a> {
    /// Reads the command line.
    pub(crate) fn of(arguments: &[&'a str]) -> Option<Self> {
        let mut order = Self {
            kind: Kind::Server,
            profile: "release",
            target: None,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match *argument {
                "--profile" => order.profile = rest.next()?,
                "--target" => order.target = Some(rest.next()?),
                kind => order.kind = Kind::of(kind)?,
            }
        }
        Some(order)
    }
}

/// Builds an image, and says its tag, its digest and its sizes.
pub(crate) fn run(root: &Path, order: Order<'_>) -> Result<bool> {
    let Order {
        kind,
        profile,
        target,
    } = order;
    ensure!(
        cfg!(target_os = "linux"),
        "images are built on Linux: the program is linked for it. On a Mac, run this in a Linux machine or container"
    );
    let commit = Commit::of(root)?;
    if kind == Kind::Debug {
        let kind = Kind::Server;
        run(root, Order { kind, ..order })?;
    }
    let target = program::target(target)?;
    let tag = kind.tag(profile, &target);
    let folder = root.join("target/image").join(tag.replace(':', "-"));
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("emptying {}", folder.display()))?;
    }
    match kind {
        Kind::Debug => shell(&folder)?,
        Kind::Server | Kind::Rehearsal => {
            let program = Program {
                root,
                profile,
                target: &target,
                with_rehearsal: kind == Kind::Rehearsal,
                seconds: commit.seconds.clone(),
            };
            fill(&folder, &program)?;
        }
    }
    build(&buildah_arguments(root, order, &target, &commit, &folder))?;
    settled::settle(&tag, &root.join("target/image/settled"))?;
    tell(kind, &tag, &folder)
}

fn buildah_arguments(
    root: &Path,
    order: Order<'_>,
    target: &Target,
    commit: &Commit,
    folder: &Path,
) -> Vec<String> {
    let file = root.join("deploy/image").join(order.kind.file());
    let mut arguments = vec![
        format!("--file={}", file.display()),
        format!("--tag={}", order.kind.tag(order.profile, target)),
        // The OCI format has no health check.
        "--format=docker".to_owned(),
        format!("--timestamp={}", commit.seconds),
        format!("--arch={}", target.arch()),
        format!("--build-arg=VERSION={}", env!("CARGO_PKG_VERSION")),
        format!("--build-arg=REVISION={}", commit.id),
    ];
    let base = match order.kind {
        Kind::Server => None,
        Kind::Debug => Some(format!(
            "localhost/{}",
            Kind::Server.tag(order.profile, target)
        )),
        Kind::Rehearsal => base(),
    };
    arguments.extend(base.map(|base| format!("--build-arg=BASE={base}")));
    arguments.push(folder.display().to_string());
    arguments
}

/// The commit that is built: its time is the image's.
struct Commit {
    id: String,
    seconds: String,
}

impl Commit {
    fn of(root: &Path) -> Result<Self> {
        let said = said(
            Command::new("git")
                .args(["log", "-1", "--format=%H %ct"])
                .current_dir(root),
        )?;
        let (id, seconds) = said
            .trim()
            .split_once(' ')
            .context("`git log` named no commit")?;
        Ok(Self {
            id: id.to_owned(),
            seconds: seconds.to_owned(),
        })
    }
}

/// Everything of the image: the program, by the names of the original too, its user, its licence and its parts.
fn fill(folder: &Path, program: &Program<'_>) -> Result<()> {
    let built = program.build()?;
    for inner in [
        "etc",
        "home/app",
        "home/docker/sal/plugins",
        "usr/local/bin",
        "usr/share/doc/sal",
    ] {
        std::fs::create_dir_all(folder.join(inner)).with_context(|| format!("making {inner}"))?;
    }
    copy(&built, &folder.join("sal"))?;
    for (name, target) in [
        ("run.sh", "sal"),
        ("usr/local/bin/sal", "/sal"),
        ("home/app/sal", "/home/docker/sal"),
    ] {
        std::os::unix::fs::symlink(target, folder.join(name))
            .with_context(|| format!("linking {name}"))?;
    }
    let user = "sal:x:65532:65532:sal:/home/docker/sal:/sbin/nologin\n";
    let accounts = [("etc/passwd", user), ("etc/group", "sal:x:65532:\n")];
    // Debian's accounts stay where there is a Debian.
    for (name, text) in accounts.iter().filter(|_| !program.with_rehearsal) {
        std::fs::write(folder.join(name), text).with_context(|| format!("writing {name}"))?;
    }
    let papers = folder.join("usr/share/doc/sal");
    copy(&program.root.join("LICENSE"), &papers.join("LICENSE"))?;
    bill::write(program, &papers.join("sbom.cdx.json"))
}

/// BusyBox, which Debian links statically.
fn shell(folder: &Path) -> Result<()> {
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).context("making bin")?;
    let busybox = Path::new("/bin/busybox");
    ensure!(busybox.exists(), "no /bin/busybox; install busybox-static");
    copy(busybox, &bin.join("busybox"))?;
    let applets = said(Command::new(busybox).arg("--list"))?;
    for applet in applets.lines().filter(|applet| *applet != "busybox") {
        std::os::unix::fs::symlink("busybox", bin.join(applet))
            .with_context(|| format!("linking {applet}"))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::copy(from, to)
        .with_context(|| format!("copying {} to {}", from.display(), to.display()))?;
    Ok(())
}

fn build(arguments: &[String]) -> Result<()> {
    let status = Command::new("buildah")
        .arg("build")
        .arg("--quiet")
        .args(arguments)
        .status();
    let status = status.context("starting buildah; `./dev image` installs it")?;
    if !status.success() {
        bail!(
            "buildah failed. Where it may make no namespaces or control groups, as in many containers, BUILDAH_ISOLATION=chroot may help; or run this on the machine itself"
        );
    }
    Ok(())
}

fn tell(kind: Kind, tag: &str, folder: &Path) -> Result<bool> {
    let format = "{{.FromImageDigest}}";
    let digest =
        said(Command::new("buildah").args(["inspect", "--type=image", "--format", format, tag]))?;
    output::line(&format!("image    {tag}"));
    output::line(&format!("digest   {}", digest.trim()));
    if let Ok(program) = std::fs::metadata(folder.join("sal")) {
        let mib = program.len() / 1024 / 1024;
        output::line(&format!("program  {mib} MiB"));
    }
    let example = match kind {
        Kind::Server => format!("podman run --rm -p 8000:8000 --env-file sal.env localhost/{tag}"),
        Kind::Debug => format!("podman run --rm -it --entrypoint /bin/sh localhost/{tag}"),
        Kind::Rehearsal => format!("podman run --rm -p 8000:8000 localhost/{tag}"),
    };
    output::line(&format!("run      {example}"));
    Ok(true)
}

/// What a command prints.
fn said(command: &mut Command) -> Result<String> {
    let shown = format!("{command:?}");
    let done = command
        .output()
        .with_context(|| format!("starting {shown}"))?;
    if !done.status.success() {
        bail!(
            "{shown} failed: {}",
            String::from_utf8_lossy(&done.stderr).trim()
        );
    }
    String::from_utf8(done.stdout).with_context(|| format!("{shown} printed no text"))
}

/// The base of the rehearsal's image, where another than Debian's own is wanted.
#[expect(clippy::disallowed_methods, reason = "whoever builds says so")]
fn base() -> Option<String> {
    std::env::var("SAL_IMAGE_BASE")
        .ok()
        .filter(|base| !base.is_empty())
}

/// Where the tools of this machine keep what they build.
#[expect(clippy::disallowed_methods, reason = "cargo's own variable")]
fn cargo_home() -> Result<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    let set = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    set.or_else(home)
        .context("neither CARGO_HOME nor HOME is set")
}
