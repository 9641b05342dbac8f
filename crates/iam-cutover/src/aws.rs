//! The AWS side: what AWS says of the database, the caller and the role, and the few calls that change it.
//!
//! A small client of the Query API with the signature of `rds-iam`; no SDK. Every answer may also be
//! "not allowed", which is an answer, not a failure: [`Answer::Denied`].

mod call;
mod client;
mod cloudwatch;
mod iam;
mod made;
mod neighbours;
mod operator;
mod proxy;
mod rds;
mod read_back;
mod side;
mod sts;
mod xml;

pub use self::{
    call::{AwsCall, shell},
    client::{AwsApi, AwsEndpoints, AwsError},
    cloudwatch::{AuthErrorLine, AuthMetric, METRICS},
    iam::{AttachedPolicy, RoleFacts, Simulation},
    made::Made,
    neighbours::BlueGreen,
    operator::{MayConnect, Operator, operator},
    proxy::{ProxyFacts, ProxyMode},
    rds::{AUTH_LOG, DatabaseTarget, EngineVersion, TargetKind},
    read_back::Unsettled,
    side::{Answer, AwsFacts, AwsSide, AwsWish, look, look_at_database, look_at_place},
    sts::Caller,
};
