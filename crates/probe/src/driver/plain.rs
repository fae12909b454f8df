//! An app behind pipes: lines in, lines out.

use super::Driver;
use overheard_model::design::DriverName;

#[derive(Debug)]
pub(super) struct Plain;

impl Driver for Plain {
    fn name(&self) -> DriverName {
        DriverName::Plain
    }
}
