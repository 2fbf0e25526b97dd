//! The emulator through its front door: HTTP as a client speaks it, and raw bytes where bytes matter.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "clippy knows a test by its attribute; these are the functions tests call"
)]

mod access;
mod api;
mod control;
mod description;
mod faults;
mod guard;
mod impersonation;
mod input;
mod invitations;
mod lifecycle;
mod memberships;
mod metadata;
mod migration;
mod openapi;
mod organizations;
mod origins;
mod outbox;
mod problems;
mod search;
mod sessions;
mod settings;
mod sign_in;
mod snapshot;
mod storage;
mod tokens;
mod users;
mod wire;
