//! What the caller may choose about a lab.
//!
//! The defaults are an RDS instance in us-west-2 with the settings RDS has by default.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::Clock;
use crate::pam::Pam;
use crate::shape::Shape;
use crate::verify::token::EndpointKind;

/// How to start a lab.
#[derive(Clone)]
pub struct LabOptions {
    /// What it plays; with [`Pam`] an instance only.
    pub shape: Shape,
    /// The region the instance is in.
    pub region: String,
    /// The instance's endpoint; the certificate names it, tokens must be signed for it. Of another shape the names
    /// are made from its parts.
    pub endpoint: String,
    /// Where the gate listens; port 0 is any free one.
    pub listen: SocketAddr,
    /// The port tokens must be signed for; `None` is the one the gate listens on.
    pub signed_port: Option<u16>,
    /// What kind of endpoint it plays.
    pub endpoint_kind: EndpointKind,
    /// Whether TLS may start without being asked for.
    pub direct_tls: DirectTls,
    /// The parameter `rds.force_ssl`.
    pub force_ssl: ForceSsl,
    /// The AWS account, twelve digits.
    pub account_id: String,
    /// The instance's resource id, which policies name; a cluster's begins with `cluster-` instead.
    pub resource_id: String,
    /// The instance's identifier, which policies do not name.
    pub identifier: String,
    /// Whether IAM authentication is on at the start.
    pub iam_authentication: IamAuthentication,
    /// The master user's name.
    pub master: String,
    /// IAM logins per second that are let through.
    pub login_limit: usize,
    /// Folder for the private Postgres; `None` is a throw-away one.
    pub data_dir: Option<PathBuf>,
    /// Keeps the folder after the lab stops.
    pub keep: bool,
    /// Gives up durability for speed.
    pub fast: bool,
    /// Additional Postgres settings.
    pub settings: Vec<(String, String)>,
    /// Folder with the server programs; `None` searches.
    pub server_binaries: Option<PathBuf>,
    /// The value of `PATH`, to search for server programs.
    pub search_path: Option<OsString>,
    /// Whether Postgres itself listens too and asks by PAM.
    pub pam: Pam,
    /// Says what time it is.
    pub clock: Clock,
}

impl LabOptions {
    /// The defaults, with the given clock.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            shape: Shape::Instance,
            region: "us-west-2".to_owned(),
            endpoint: "sal-sandbox.abcdefghijk0.us-west-2.rds.amazonaws.com".to_owned(),
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            signed_port: None,
            endpoint_kind: EndpointKind::Instance,
            direct_tls: DirectTls::AsServer,
            force_ssl: ForceSsl::On,
            account_id: "123456789012".to_owned(),
            resource_id: "db-ABCDEFGHIJKL01234567890123".to_owned(),
            identifier: "sal-sandbox".to_owned(),
            iam_authentication: IamAuthentication::On,
            master: "postgres".to_owned(),
            login_limit: 200,
            data_dir: None,
            keep: false,
            fast: true,
            settings: Vec::new(),
            server_binaries: None,
            search_path: None,
            pam: Pam::Off,
            clock,
        }
    }
}

/// Whether the gate takes TLS that starts without an `SSLRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectTls {
    /// As the Postgres behind it does: from version 17 on.
    AsServer,
    /// Always, as the internet gateway of Aurora express does.
    Always,
}

/// The RDS parameter `rds.force_ssl`, on by default since version 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForceSsl {
    /// Password users need TLS too.
    On,
    /// Password users may come without TLS; IAM users never.
    Off,
}

/// Whether the instance's IAM authentication is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IamAuthentication {
    /// It is.
    On,
    /// It is not: tokens are taken for passwords.
    Off,
}
