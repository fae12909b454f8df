//! Problems of one reading, counted by kind: the first of each kind is located, the rest add up.

use overheard_model::Problem;

/// Problems, in the order in which their kinds were first met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl From<Vec<Problem>> for Problems {
    fn from(problems: Vec<Problem>) -> Self {
        Self(problems)
    }
}

impl Problems {
    /// Counts a problem; the first of its kind says where and what.
    pub(crate) fn add(&mut self, kind: &str, text: &str, packet: Option<u64>, count: u64) {
        match self.0.iter_mut().find(|problem| *problem.kind == *kind) {
            Some(problem) => problem.count += count,
            None => {
                self.0.push(Problem { kind: kind.into(), text: text.into(), packet, offset: None, count })
            }
        }
    }

    pub(crate) fn append(&mut self, later: Self) {
        self.0.extend(later.0);
    }

    pub(crate) fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}
