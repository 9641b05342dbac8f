//! One budget of bytes for everything that requests bring in: bodies while they are read, and what reading them makes.
//!
//! Large things have a share of their own, so that they wait for each other and the ordinary check-in, of which there
//! are thousands, waits for none of them. What is reserved is an honest guess from above at what the work will hold.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tracing::warn;

use crate::error::AppError;
use crate::metric_names::MEMORY_BUSY;
use crate::seldom::Seldom;

/// The budget of a process.
pub struct Memory {
    small: Share,
    bulky: Share,
    reading_small: Share,
    reading_bulky: Share,
    full: Seldom,
}

/// A part of the budget, in KiB.
struct Share {
    room: Arc<Semaphore>,
    all: u32,
}

/// A part of the budget that is taken; free again when dropped.
pub struct Reserved {
    _permit: Option<OwnedSemaphorePermit>,
}

/// A body that was read, and the part of the budget it takes.
pub struct ReadBody {
    /// The body.
    pub bytes: Bytes,
    _reserved: Vec<OwnedSemaphorePermit>,
}

impl Memory {
    /// With this many bytes in all.
    #[must_use]
    pub fn new(budget_bytes: usize) -> Self {
        Self {
            small: Share::new(budget_bytes / 2),
            bulky: Share::new(budget_bytes / 8 * 3),
            reading_small: Share::new(budget_bytes / 16),
            reading_bulky: Share::new(budget_bytes / 16),
            full: Seldom::default(),
        }
    }

    /// Whether a request that makes so much waits with the ordinary ones, and not with the large.
    #[must_use]
    pub fn is_ordinary(bytes: usize) -> bool {
        bytes <= SMALL_BYTES
    }

    /// Waits for room for work of this size. What is larger than the whole share gets all of it.
    ///
    /// # Errors
    /// [`AppError::NoRoom`] when none became free in time.
    pub async fn reserve(&self, bytes: usize) -> Result<Reserved, AppError> {
        let share = if Self::is_ordinary(bytes) {
            &self.small
        } else {
            &self.bulky
        };
        let permit = share.take(bytes).await.inspect_err(|_| self.note())?;
        Ok(Reserved {
            _permit: Some(permit),
        })
    }

    /// Reads a body that may have so many bytes. Its first 64 KiB are bounded by the number of connections; beyond
    /// that it waits for room while it is read, so that slow senders of much hold no more than a share.
    ///
    /// # Errors
    /// [`AppError::BodyTooLarge`], [`AppError::BadRequest`] when it broke off, [`AppError::NoRoom`].
    pub async fn read(&self, mut body: Body, limit_bytes: usize) -> Result<ReadBody, AppError> {
        let mut chunks: Vec<Bytes> = Vec::new();
        let (mut length, mut counted) = (0_usize, FREE_BYTES);
        let mut reserved = Vec::new();
        // By what it says of its length: large ones that stall in the middle hold nothing that others wait for.
        let share = match body.size_hint().upper() {
            Some(length) if length <= SMALL_BODY_BYTES => &self.reading_small,
            _ => &self.reading_bulky,
        };
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_broken_off| {
                AppError::BadRequest("The request body ended early or was malformed.".to_owned())
            })?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            length = length.saturating_add(data.len());
            if length > limit_bytes {
                return Err(AppError::BodyTooLarge { limit_bytes });
            }
            while counted < length {
                // Joined at the end, it is there twice for a moment.
                let step = share.take(STEP_BYTES * 2).await;
                reserved.push(step.inspect_err(|_| self.note())?);
                counted = counted.saturating_add(STEP_BYTES);
            }
            chunks.push(data);
        }
        let bytes = match chunks.len() {
            0 | 1 => chunks.pop().unwrap_or_default(),
            _ => Bytes::from(chunks.concat()),
        };
        Ok(ReadBody {
            bytes,
            _reserved: reserved,
        })
    }
}

impl Memory {
    fn note(&self) {
        metrics::counter!(MEMORY_BUSY).increment(1);
        if self.full.is_due() {
            warn!("requests wait for memory in vain and are answered 503 (SAL_MEMORY_BUDGET)");
        }
    }
}

impl Share {
    fn new(bytes: usize) -> Self {
        let all = kibibytes(bytes).max(1);
        let permits = usize::try_from(all).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            room: Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))),
            all,
        }
    }

    async fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, AppError> {
        let wanted = kibibytes(bytes).clamp(1, self.all);
        let taking = Arc::clone(&self.room).acquire_many_owned(wanted);
        // Never closed.
        match timeout(PATIENCE, taking).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(AppError::NoRoom),
        }
    }
}

fn kibibytes(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

/// What an ordinary check-in of up to 150 KB makes.
const SMALL_BYTES: usize = 8 * 1024 * 1024;
/// An ordinary check-in has 40 KB.
const FREE_BYTES: usize = 64 * 1024;
const STEP_BYTES: usize = 64 * 1024;
/// Larger than nearly every check-in and inventory.
const SMALL_BODY_BYTES: u64 = 512 * 1024;
/// Clients give up after 8 s, and shall hear why before; after this a request waits for a connection, too.
const PATIENCE: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests {
    use super::*;

    const MEBIBYTE: usize = 1024 * 1024;

    #[tokio::test(start_paused = true)]
    async fn large_work_waits_for_large_work_and_small_work_for_neither() {
        let memory = Memory::new(256 * MEBIBYTE);
        let first = memory.reserve(60 * MEBIBYTE).await.unwrap();
        let refused = memory.reserve(60 * MEBIBYTE).await.err();
        assert!(matches!(refused, Some(AppError::NoRoom)));
        let mut small = Vec::new();
        for _ in 0..16 {
            small.push(memory.reserve(8 * MEBIBYTE).await.unwrap());
        }
        assert!(memory.reserve(MEBIBYTE).await.is_err(), "it is a bound");
        drop(first);
        // More than the whole share is let in alone.
        let all = memory.reserve(usize::MAX).await.unwrap();
        assert!(memory.reserve(9 * MEBIBYTE).await.is_err());
        drop(all);
        assert!(memory.reserve(9 * MEBIBYTE).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_that_stop_in_the_middle_hold_a_share_and_ordinary_ones_are_read() {
        let memory = Memory::new(16 * MEBIBYTE);
        let endless = || {
            let chunk = Bytes::from(vec![0; MEBIBYTE / 2]);
            let begun = futures_util::stream::iter([Ok::<_, std::io::Error>(chunk)]);
            let rest = futures_util::stream::pending();
            Body::from_stream(futures_util::StreamExt::chain(begun, rest))
        };
        let (one, two) = (
            memory.read(endless(), 5 * MEBIBYTE),
            memory.read(endless(), 5 * MEBIBYTE),
        );
        let mut stopped = std::pin::pin!(futures_util::future::join(one, two));
        let waited = timeout(Duration::from_secs(1), stopped.as_mut()).await;
        assert!(waited.is_err(), "they wait for the rest of their bodies");
        let large = memory.read(Body::from(vec![0; MEBIBYTE]), 5 * MEBIBYTE);
        let also = timeout(Duration::from_millis(1), stopped.as_mut());
        let (large, _also) = tokio::join!(large, also);
        assert!(matches!(large.err(), Some(AppError::NoRoom)));
        for ordinary in [60 * 1024, 100 * 1024, 400 * 1024] {
            let read = memory
                .read(Body::from(vec![7; ordinary]), 5 * MEBIBYTE)
                .await;
            assert_eq!(read.unwrap().bytes.len(), ordinary);
        }
    }

    #[tokio::test]
    async fn a_body_over_its_limit_is_refused_where_it_passes_it() {
        let memory = Memory::new(16 * MEBIBYTE);
        let exact = memory.read(Body::from("12345"), 5).await.unwrap();
        assert_eq!(exact.bytes, "12345");
        let refused = memory.read(Body::from("123456"), 5).await.err();
        assert!(matches!(
            refused,
            Some(AppError::BodyTooLarge { limit_bytes: 5 })
        ));
    }
}
