//! What strangers try: each fault that was ever found, with its values, and its neighbours.

mod database;
mod memory;
mod socket;
mod status;
mod tenants;
