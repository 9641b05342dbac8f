//! The program as its users run it: a child process with an environment, against a Postgres dressed as RDS.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod accounts;
mod admin_pass;
mod answers;
mod aws_way;
mod bench;
mod bulk;
mod causes;
mod checkins;
mod closed_output;
mod commands;
mod compare;
mod crash;
mod demo;
mod deployments;
mod doctor;
mod drop_in;
mod environment;
mod former_plugins;
mod guide;
mod healthcheck;
mod hostile;
mod iam;
mod image;
mod journal;
mod killed;
mod login;
mod looking_proxy;
mod maintenance;
mod move_reports;
mod named_identity;
mod outages;
mod policy;
mod proxies;
mod real_proxies;
mod relay;
mod replay;
mod replicas;
mod rest;
mod rights;
mod searches;
mod secrets;
mod server;
mod shapes;
mod signals;
mod simulate;
mod single_sign_on;
mod soak;
mod sockets;
mod stage;
mod storm;
mod token;
mod untouched;
mod upgrades;
mod user;
