//! Places: the country and network of an address, from several sources side by side.

use overheard_model::{Place, PlaceSource, Reading, Vantage};
use std::net::IpAddr;

/// Databases of places, asked together.
#[derive(Debug, Default)]
pub struct Atlas {}

impl Atlas {
    /// The table that comes with the program.
    pub fn embedded() -> Self {
        Self {}
    }

    /// Adds a MaxMind-format database, asked after those already there; says what is wrong with a bad one.
    pub fn add_mmdb(&mut self, _label: &str, _bytes: Vec<u8>) -> Result<(), String> {
        Ok(())
    }

    /// The databases, in the order of their claims.
    pub fn sources(&self) -> Vec<PlaceSource> {
        Vec::new()
    }

    /// All that the databases say of one address.
    pub fn locate(&self, _address: IpAddr) -> Place {
        Place::default()
    }

    /// Places every endpoint and flow of a reading; with a vantage, bounds them by round-trip time.
    pub fn place(&self, _reading: &mut Reading, _vantage: Option<&Vantage>) {}
}
