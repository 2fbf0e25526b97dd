//! The HTTP side: routes, and the way of a request to them.

mod answer;
mod body;
mod control;
mod cookies;
mod device;
mod guard;
mod impersonation;
mod inflict;
mod invitations;
mod openapi;
mod organizations;
mod origins;
mod pages;
mod params;
mod peer;
mod problem;
mod router;
mod serve;
mod server_api;
mod sessions;
mod users;
mod well_known;

pub(crate) use serve::serve;
