//! The commands.

mod child;
pub(crate) mod demo;
pub(crate) mod dev;
mod signals;
pub(crate) mod token;
