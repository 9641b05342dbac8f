//! The judge: recomputes Signature Version 4 from what arrived.
//!
//! Parses and sorts, never compares text order: signers differ in order, not in signature.
//! [`token`] judges database tokens, [`request`] judges signed HTTP requests; both only say
//! whether the bearer is who they claim to be, policy comes later.

pub mod query;
pub mod request;
pub mod signature;
pub mod token;
