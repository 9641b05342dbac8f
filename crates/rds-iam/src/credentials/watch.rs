//! Watches the `Date` header of AWS answers, so that a wrong clock can be named with its size.
//!
//! A presigned token carries our time and the refusal does not say what was wrong with it. The
//! credential services answer over HTTP and say their time in passing; the difference is kept for
//! explanations. Nothing is corrected with it.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::HttpRequest,
        runtime_components::RuntimeComponents,
    },
    shared::IntoShared,
};
use jiff::{SignedDuration, Timestamp};

use super::date::parse_http_date;
use crate::clock::Clock;

/// How far the local clock is from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skew {
    /// The other clock minus ours; positive when ours is behind.
    pub offset: SignedDuration,
    /// Whose clock it was.
    pub against: String,
    /// When it was measured, by our clock.
    pub measured_at: Timestamp,
}

/// Keeps the last measured skew; clones share it.
#[derive(Clone, Debug, Default)]
pub struct SkewMeter(Arc<Mutex<Option<Skew>>>);

impl SkewMeter {
    /// The last measurement.
    #[must_use]
    pub fn last(&self) -> Option<Skew> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes the other clock's time; also for programs that learn it elsewhere.
    pub fn note(&self, theirs: Timestamp, ours: Timestamp, against: &str) {
        let skew = Skew {
            offset: theirs.duration_since(ours),
            against: against.to_owned(),
            measured_at: ours,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(skew);
    }
}

/// An HTTP client that notes the date of every answer.
#[derive(Clone)]
pub(super) struct WatchingClient {
    inner: SharedHttpClient,
    meter: SkewMeter,
    clock: Clock,
}

impl WatchingClient {
    pub(super) fn new(inner: SharedHttpClient, meter: SkewMeter, clock: Clock) -> Self {
        Self {
            inner,
            meter,
            clock,
        }
    }
}

impl std::fmt::Debug for WatchingClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("WatchingClient")
    }
}

impl HttpClient for WatchingClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        WatchingConnector {
            inner: self.inner.http_connector(settings, components),
            client: self.clone(),
        }
        .into_shared()
    }
}

#[derive(Debug)]
struct WatchingConnector {
    inner: SharedHttpConnector,
    client: WatchingClient,
}

impl HttpConnector for WatchingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let host = host_of(request.uri());
        let client = self.client.clone();
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let response = answer.await?;
            if let Some(theirs) = response.headers().get("date").and_then(parse_http_date) {
                client.meter.note(theirs, (client.clock)(), &host);
            }
            Ok(response)
        })
    }
}

fn host_of(uri: &str) -> String {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meter_tells_the_size_and_the_side() {
        let meter = SkewMeter::default();
        let ours = Timestamp::from_second(1_800_000_000).unwrap();
        meter.note(ours + SignedDuration::from_secs(960), ours, "sts");
        let skew = meter.clone().last().unwrap();
        assert_eq!((skew.offset.as_secs(), skew.against.as_str()), (960, "sts"));
    }

    #[test]
    fn only_the_host_of_an_address_is_kept() {
        assert_eq!(
            host_of("http://169.254.169.254/latest/x"),
            "169.254.169.254"
        );
        assert_eq!(
            host_of("https://sts.eu-west-1.amazonaws.com?a=b"),
            "sts.eu-west-1.amazonaws.com"
        );
    }
}
