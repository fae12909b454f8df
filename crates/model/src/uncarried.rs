//! To whom nothing was carried, as whoever carries an app's packets knows.
//!
//! For: gateways, which know it, recordings, which keep it, and whoever counts contacts.
//! Promises: of whom it is not known it is never said that something was carried, nor that nothing was.

use crate::Destination;
use std::collections::BTreeSet;

/// Destinations to which an app sent something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uncarried {
    /// Nothing was carried to them.
    pub listed: BTreeSet<Destination>,
    /// Where they were too many to be told apart: those to whom something was carried. Of all others it is not known.
    pub all_but: Option<BTreeSet<Destination>>,
}

impl Uncarried {
    /// Whether it is not known that something was carried there: that is no contact, and no absence either.
    pub fn may_hold(&self, to: &Destination) -> bool {
        self.listed.contains(to) || self.all_but.as_ref().is_some_and(|carried| !carried.contains(to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_whom_it_is_not_known_nothing_is_said() {
        let [tried, carried, other] =
            [1, 2, 3].map(|host| format!("udp 198.51.100.{host}:9").parse().expect("a destination"));
        let mut uncarried = Uncarried { listed: [tried].into(), all_but: None };
        assert_eq!([tried, carried, other].map(|to| uncarried.may_hold(&to)), [true, false, false]);
        uncarried.all_but = Some([carried].into());
        assert_eq!([tried, carried, other].map(|to| uncarried.may_hold(&to)), [true, false, true]);
    }
}
