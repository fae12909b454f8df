//! An app behind pipes: lines in, lines out.

use super::listener::Ear;
use super::{Driver, Ends, Wires, pipes};
use overheard_model::design::DriverName;
use std::io;

#[derive(Debug)]
pub(super) struct Plain;

impl Driver for Plain {
    fn name(&self) -> DriverName {
        DriverName::Plain
    }

    fn connect(&self) -> io::Result<(Wires, Ends)> {
        pipes([Ear::text(), Ear::text()])
    }
}
