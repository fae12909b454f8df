//! What the book of an inquiry and the captures beside it hold, as its report needs it.
//!
//! Promises: all that was spent is there, whatever it came to; what it came to is said by whoever asked.

use super::clients::ClientArgs;
use super::copies::{self, Texts};
use super::verdict;
use overheard_model::{Act, Inquiry};
use overheard_probe::trial::Book;
use std::collections::BTreeSet;
use std::path::Path;

/// The inquiry, still without what was asked and found; `looks` are those that were taken at its comparison.
pub fn inquiry(
    clients: &ClientArgs,
    book: &Book,
    folder: &Path,
    texts: &Texts,
    watched: bool,
    looks: u32,
) -> Inquiry {
    let (copies, searched) = copies::find(folder, book.acts(), book.deliveries(), texts);
    Inquiry {
        watched,
        budget: clients.budget,
        window_s: clients.window,
        lag_s: if watched { clients.lag } else { 0.0 },
        acts: located(book, folder),
        unjudged: unjudged(book, watched),
        deliveries: book.deliveries().to_vec(),
        strays: book.strays(),
        copies,
        searched: watched.then_some(searched),
        asks_more: verdict::asks_more(book, &verdict::counted(book, watched), looks, clients.seed),
        ..Inquiry::default()
    }
}

/// Acts of an arm that do not count.
fn unjudged(book: &Book, watched: bool) -> BTreeSet<u64> {
    let of_arms = book.acts().iter().filter(|act| act.arm.is_some());
    let mut unjudged: BTreeSet<u64> = of_arms.map(|act| act.number).collect();
    verdict::counted(book, watched).iter().for_each(|act| _ = unjudged.remove(&act.number));
    unjudged
}

/// The acts, with the paths of their captures as they are from here.
fn located(book: &Book, folder: &Path) -> Vec<Act> {
    let mut acts = book.acts().to_vec();
    for packets in acts.iter_mut().filter_map(|act| act.packets.as_mut()) {
        packets.capture = folder.join(&packets.capture).to_string_lossy().into_owned();
    }
    acts
}
