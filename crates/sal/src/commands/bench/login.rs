//! `sal bench login`: what IAM costs. Tokens per second on one core, and whole logins with a token against whole
//! logins with a password, alternating in one run, both over TLS to the same server.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rds_iam::{
    Authorities, Connector, CredentialCache, Credentials, FixedCredentials, IamConfig, LoginConfig,
    LoginSecret, Secret, SystemResolver, TlsConfig,
};
use rds_lab::{Lab, LabOptions};
use serde_json::json;
use tokio::time::Instant;

use crate::exit::Exit;
use crate::{output, wiring};

/// Runs a benchmark.
pub(crate) async fn run(logins: u32, json: bool) -> Result<Exit> {
    let mut options = LabOptions::new(wiring::clock());
    // The lab's own limit is RDS's; here it must not be what is measured.
    options.login_limit = 1_000_000;
    let lab = Lab::start(options).await.context("starting the lab")?;
    let outcome = measure(&lab, logins.max(20)).await;
    lab.stop().await;
    let figures = outcome?;
    output::data(&if json {
        figures.as_json()?
    } else {
        figures.as_text()
    });
    Ok(Exit::Done)
}

/// The figures of one run.
struct Figures {
    tokens_per_second: f64,
    logins: u32,
    iam: Vec<Duration>,
    password: Vec<Duration>,
}

async fn measure(lab: &Lab, logins: u32) -> Result<Figures> {
    lab.create_password_user("withpassword", "a-benchmark-password")
        .await
        .context("making a user")?;
    lab.create_iam_user("withtoken", &[])
        .await
        .context("making a user")?;
    let issued = lab.temporary_credentials("bench");
    lab.allow_connect("*", "withtoken");
    let session = issued.session_token.as_deref();
    let credentials = Credentials::new(
        &issued.access_key_id,
        &issued.secret_access_key,
        session,
        None,
    );
    let tokens_per_second = sign(lab, &credentials);
    let cache = Arc::new(CredentialCache::new(
        Arc::new(FixedCredentials(credentials)),
        wiring::clock(),
    ));
    let secret = IamConfig {
        region: None,
        sign_host: None,
        sign_port: None,
        credentials: cache,
    };
    let iam = connector(lab, "withtoken", LoginSecret::Iam(secret))?;
    let password = connector(
        lab,
        "withpassword",
        LoginSecret::Password(Secret::new("a-benchmark-password")),
    )?;
    let mut figures = Figures {
        tokens_per_second,
        logins,
        iam: Vec::new(),
        password: Vec::new(),
    };
    for turn in 0..logins + WARM_UP {
        // Alternating, and each first in every other turn, so that drift of the machine hits both alike.
        let (first, second) = if turn % 2 == 0 {
            (&iam, &password)
        } else {
            (&password, &iam)
        };
        let (a, b) = (one_login(first).await?, one_login(second).await?);
        let (with_iam, with_password) = if turn % 2 == 0 { (a, b) } else { (b, a) };
        if turn >= WARM_UP {
            figures.iam.push(with_iam);
            figures.password.push(with_password);
        }
    }
    Ok(figures)
}

fn sign(lab: &Lab, credentials: &Credentials) -> f64 {
    let now = wiring::clock()();
    let started = Instant::now();
    let mut signed = 0_u32;
    while started.elapsed() < Duration::from_secs(1) {
        for _ in 0..100 {
            let life = rds_iam::RDS_TOKEN_LIFE;
            let token = rds_iam::token(
                lab.endpoint(),
                5432,
                "withtoken",
                lab.region(),
                credentials,
                now,
                life,
            );
            std::hint::black_box(&token);
            signed += 1;
        }
    }
    f64::from(signed) / started.elapsed().as_secs_f64()
}

fn connector(lab: &Lab, user: &str, secret: LoginSecret) -> Result<Connector> {
    let address = lab.address();
    let config = LoginConfig {
        host_address: Some(address.ip()),
        tls: TlsConfig {
            authorities: Authorities::Pem(lab.ca_pem()),
            ..TlsConfig::default()
        },
        logins_per_second: 10_000,
        ..LoginConfig::new(lab.endpoint(), address.port(), "postgres", user, secret)
    };
    let resolver = Arc::new(SystemResolver::new());
    Connector::new(config, resolver, wiring::clock()).context("setting up a login")
}

async fn one_login(connector: &Connector) -> Result<Duration> {
    let started = Instant::now();
    let connection = connector
        .connect()
        .await
        .map_err(|error| anyhow::anyhow!(error.explain().to_string()))?;
    let elapsed = started.elapsed();
    drop(connection.client);
    // The session's end must not fall into the next measurement.
    let _ = connection.task.await;
    Ok(elapsed)
}

impl Figures {
    fn ratio(&self) -> f64 {
        median_ms(&self.iam) / median_ms(&self.password)
    }

    fn as_text(&self) -> String {
        format!(
            "tokens signed on one core   {:>10.0} /s\nIAM login, median           {:>10.2} ms   (of {})\n\
             password login, median      {:>10.2} ms\nratio                       {:>10.3}",
            self.tokens_per_second,
            median_ms(&self.iam),
            self.logins,
            median_ms(&self.password),
            self.ratio()
        )
    }

    fn as_json(&self) -> Result<String> {
        let value = json!({
            "tokens_per_second": self.tokens_per_second, "logins": self.logins,
            "iam_login_median_ms": median_ms(&self.iam), "password_login_median_ms": median_ms(&self.password),
            "ratio": self.ratio(),
        });
        serde_json::to_string_pretty(&value).context("writing the figures")
    }
}

fn median_ms(times: &[Duration]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted
        .get(sorted.len() / 2)
        .map_or(f64::NAN, |middle| middle.as_secs_f64() * 1000.0)
}

/// Turns that are not counted.
const WARM_UP: u32 = 10;
