//! One machine and its connection. Bodies and headers are made beforehand and sent as they are, so that the load takes
//! as little of the machine as it can.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fake_fleet::Yardstick;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};

use super::plan::Schedule;
use crate::wiring;

/// A machine with its connection.
pub(super) struct Caller {
    index: u32,
    serial: String,
    address: Arc<str>,
    connection: Option<TcpStream>,
    /// Two whole requests, with a place for the number of the change in each.
    requests: [Request; 2],
    sent: u32,
    answer: Vec<u8>,
    /// What the server last said it has.
    pub(super) stored: Option<Stored>,
    /// How many were told 200.
    pub(super) told: u32,
    /// The number of what was sent last, and whether it was refused with a 503.
    pub(super) last: Option<(u32, bool)>,
}

struct Request {
    bytes: Vec<u8>,
    mark: usize,
}

/// A check-in that was told 200.
#[derive(Clone, Copy)]
pub(super) struct Stored {
    /// The number in its host name.
    pub(super) mark: u32,
    /// When it was sent, by the clock that the server on this machine has, too.
    pub(super) sent: Timestamp,
}

/// How a check-in ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// 200.
    Taken,
    /// 503 and when to come back, in seconds.
    Refused(u32),
    /// Anything else: another status, a 503 without a time, a broken connection.
    Other,
    /// Nothing, within the time that a client of Sal waits.
    Nothing,
}

/// One check-in.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    /// From the beginning of the phase.
    pub(super) due: Duration,
    /// From when it was due to the last byte of its answer.
    pub(super) time: Duration,
    pub(super) said: Said,
}

impl Caller {
    pub(super) fn new(index: u32, key: (&str, &str), address: &str) -> Result<Self> {
        let request = |run| request(index, run, key, address);
        Ok(Self {
            index,
            serial: Yardstick::new(index, 0, true).serial,
            address: address.into(),
            connection: None,
            requests: [request(1)?, request(2)?],
            sent: 0,
            answer: Vec::with_capacity(4096),
            stored: None,
            told: 0,
            last: None,
        })
    }

    pub(super) fn index(&self) -> u32 {
        self.index
    }

    pub(super) fn serial(&self) -> &str {
        &self.serial
    }

    /// Sends what is due in this phase.
    pub(super) async fn play(mut self, schedule: Arc<Schedule>) -> (Self, Vec<Sent>) {
        let mut all = Vec::new();
        let clock = wiring::clock();
        if schedule.at_once {
            self.connect().await;
        }
        for (due, moment) in schedule.dues(self.index) {
            sleep_until(moment).await;
            let sent = clock();
            let mark = self.sent / 2;
            let said = match timeout(PATIENCE, self.exchange()).await {
                Ok(said) => said,
                Err(_elapsed) => Said::Nothing,
            };
            self.sent += 1;
            self.last = Some((mark, matches!(said, Said::Refused(_))));
            match said {
                Said::Taken => {
                    self.told += 1;
                    self.stored = Some(Stored { mark, sent });
                }
                Said::Refused(_) => {}
                Said::Other | Said::Nothing => self.connection = None,
            }
            let time = moment.elapsed();
            all.push(Sent { due, time, said });
        }
        (self, all)
    }

    /// Two of the same follow each other: the first changes a host name, dates and some values, the second nothing.
    async fn exchange(&mut self) -> Said {
        if self.is_gone() {
            self.connection = None;
        }
        if self.connection.is_none() {
            self.connect().await;
        }
        let mark = self.sent / 2;
        let [even, odd] = &mut self.requests;
        let request = if mark.is_multiple_of(2) { even } else { odd };
        request.put(mark);
        let Some(connection) = &mut self.connection else {
            return Said::Other;
        };
        // A server may say why before it has read all; then the answer is there to be read.
        let _broken = connection.write_all(&request.bytes).await;
        self.answer.clear();
        loop {
            match connection.read_buf(&mut self.answer).await {
                Ok(0) | Err(_) => return Said::Other,
                Ok(_) => {}
            }
            if let Some((said, closes)) = read(&self.answer) {
                if closes {
                    self.connection = None;
                }
                return said;
            }
        }
    }

    async fn connect(&mut self) {
        if self.connection.is_some() && !self.is_gone() {
            return;
        }
        let connection = TcpStream::connect(&*self.address).await.ok();
        if let Some(connection) = &connection {
            let _refused = connection.set_nodelay(true);
        }
        self.connection = connection;
    }

    /// Whether the server closed it while nothing was sent.
    fn is_gone(&self) -> bool {
        let mut byte = [0];
        self.connection.as_ref().is_some_and(|connection| {
            !matches!(connection.try_read(&mut byte), Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
        })
    }
}

impl Request {
    fn put(&mut self, mark: u32) {
        let digits = format!("{mark:06}");
        let place = self.bytes.get_mut(self.mark..self.mark + digits.len());
        if let Some(place) = place {
            place.copy_from_slice(digits.as_bytes());
        }
    }
}

fn request(index: u32, run: u32, (key, basic): (&str, &str), address: &str) -> Result<Request> {
    let mut machine = Yardstick::new(index, run, true);
    machine.machine.0 = format!("{MARK}000000");
    let submission = machine.submission(key);
    let mut bytes = format!(
        "POST {} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {basic}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\r\n",
        submission.path,
        submission.content_type,
        submission.body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(&submission.body);
    let found = bytes
        .windows(MARK.len())
        .position(|window| window == MARK.as_bytes());
    let mark = found.context("a check-in has a host name")? + MARK.len();
    ensure!(mark + 6 < bytes.len(), "the host name is whole");
    Ok(Request { bytes, mark })
}

/// The value of `Authorization`, as the HTTP library writes it.
pub(super) fn basic(key: &str) -> Result<String> {
    let request = reqwest::Client::builder()
        .build()?
        .get("http://sal/")
        .basic_auth("sal", Some(key))
        .build()?;
    let value = request.headers().get(reqwest::header::AUTHORIZATION);
    let value = value.context("a header with the key")?;
    Ok(value.to_str().context("a header of letters")?.to_owned())
}

/// What a whole answer says, and whether its connection ends with it; nothing while a part is missing.
fn read(answer: &[u8]) -> Option<(Said, bool)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = str::from_utf8(answer.get(..end)?).ok()?;
    let status = head.split(' ').nth(1)?;
    let field = |wanted: &str| {
        head.split("\r\n").skip(1).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let length: usize = field("content-length")?.parse().ok()?;
    if answer.len() < end + 4 + length {
        return None;
    }
    let wait = field("retry-after").and_then(|seconds| seconds.parse().ok());
    let said = match (status, wait) {
        ("200", _) => Said::Taken,
        ("503", Some(seconds)) => Said::Refused(seconds),
        _ => Said::Other,
    };
    let closes = field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Some((said, closes))
}

/// As long as clients of Sal wait.
const PATIENCE: Duration = Duration::from_secs(8);
/// What host names begin with; six digits follow.
pub(super) const MARK: &str = "storm-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_when_it_is_whole() {
        let whole =
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 17\r\nContent-Length: 3\r\n\r\nno\n";
        assert!(read(&whole[..whole.len() - 1]).is_none());
        assert!(matches!(read(whole), Some((Said::Refused(17), false))));
        let silent = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        assert!(matches!(read(silent), Some((Said::Other, true))));
        let taken = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        assert!(matches!(read(taken), Some((Said::Taken, false))));
    }

    #[test]
    fn the_key_is_shown_as_clients_show_it() {
        // printf sal:key | base64
        assert_eq!(basic("key").unwrap(), "Basic c2FsOmtleQ==");
    }

    #[test]
    fn the_number_of_a_change_is_in_the_host_name() {
        let mut request = request(7, 1, ("key", "Basic x"), "sal").unwrap();
        request.put(42);
        let text = String::from_utf8(request.bytes).unwrap();
        assert!(text.contains("\"hostname\": \"storm-000042\""));
    }
}
