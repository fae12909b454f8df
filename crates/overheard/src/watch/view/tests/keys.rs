//! What keys do.

use super::*;
use crate::watch::view::Page;

/// The endpoints' numbers in the order in which they are shown.
fn order(state: &State) -> Vec<u64> {
    state.rows().iter().map(|row| row.endpoint.packet).collect()
}

fn chosen(state: &State) -> u64 {
    let rows = state.rows();
    rows[state.cursor(&rows)].endpoint.packet
}

fn typed(text: &str) -> impl Iterator<Item = KeyCode> {
    text.chars().map(KeyCode::Char)
}

#[test]
fn s_sorts_and_r_reverses() {
    let mut state = state();
    assert_eq!(order(&state), [5, 4, 3, 2, 1], "the most bytes first");
    press(&mut state, typed("s"));
    assert_eq!(order(&state), [1, 2, 3, 4, 5], "what is of concern first, the local network last");
    press(&mut state, typed("s"));
    assert_eq!(order(&state)[4], 5, "what has no name last");
    press(&mut state, typed("s"));
    assert_eq!(order(&state), [5, 4, 3, 2, 1], "the latest first");
    press(&mut state, typed("r"));
    assert_eq!(order(&state), [1, 2, 3, 4, 5]);
}

#[test]
fn the_filter_looks_at_all_that_is_shown() {
    for (text, found) in [
        ("LANTERN", vec![1]),
        ("china", vec![1]),
        ("100.4", vec![4]),
        ("network 2", vec![]),
        ("network 4", vec![4]),
        ("http", vec![3]),
        ("readable", vec![3]),
        ("messenger", vec![4, 3, 2, 1]),
        ("q", vec![]),
    ] {
        let mut state = state();
        press(&mut state, typed("/").chain(typed(text)));
        assert_eq!(order(&state), found, "{text}");
        assert_eq!(press(&mut state, [KeyCode::Enter, KeyCode::Esc]), Next::Go);
        assert_eq!(order(&state).len(), 5, "Esc clears it");
    }
}

#[test]
fn a_key_that_is_typed_into_the_filter_does_nothing_else() {
    let mut state = state();
    assert_eq!(press(&mut state, typed("/qs?")), Next::Go);
    assert_eq!((state.filter.as_str(), state.page), ("qs?", Page::Endpoints));
    press(&mut state, [KeyCode::Backspace]);
    assert_eq!(state.filter, "qs");
}

#[test]
fn the_chosen_endpoint_stays_chosen_where_others_pass_it() {
    let mut state = state();
    press(&mut state, [KeyCode::Down]);
    assert_eq!(chosen(&state), 4);
    let mut later = sight();
    later.rows[0].endpoint.bytes_in = 1 << 40;
    state.see(later);
    assert_eq!((order(&state)[0], chosen(&state)), (1, 4));
    press(&mut state, [KeyCode::Home]);
    assert_eq!(chosen(&state), 1);
    press(&mut state, [KeyCode::End, KeyCode::Down]);
    assert_eq!(chosen(&state), 2, "the last is the last");
}

#[test]
fn a_pause_freezes_the_view_and_nothing_else() {
    let mut state = state();
    press(&mut state, typed(" "));
    let mut later = sight();
    later.rows.truncate(2);
    later.rows[0].endpoint.bytes_out += 500;
    later.now = Some(second(70));
    state.see(later);
    assert_eq!(order(&state).len(), 5);
    press(&mut state, typed("p"));
    assert_eq!(order(&state).len(), 2);
    assert_eq!(state.rows()[0].trend.last(), Some(&500), "what came in the pause counts when it came");
}

#[test]
fn pages_are_left_as_they_were_entered() {
    let mut state = state();
    for (key, page) in [('?', Page::Help), ('o', Page::Lines)] {
        press(&mut state, [KeyCode::Char(key)]);
        assert_eq!(state.page, page);
        press(&mut state, [KeyCode::Char(key)]);
        assert_eq!(state.page, Page::Endpoints);
    }
    press(&mut state, [KeyCode::Down, KeyCode::Enter]);
    assert_eq!(state.opened().map(|endpoint| endpoint.packet), Some(4));
    press(&mut state, [KeyCode::Esc]);
    assert_eq!((state.opened(), chosen(&state)), (None, 4));
}

#[test]
fn scrolling_ends_where_the_page_ends() {
    let mut state = state();
    press(&mut state, [KeyCode::Char('o'), KeyCode::Home]);
    assert_eq!(state.scrolled, 29, "read from its end");
    press(&mut state, [KeyCode::Down]);
    assert_eq!(state.scrolled, 28);
    press(&mut state, [KeyCode::End, KeyCode::Down]);
    assert_eq!(state.scrolled, 0);
}

#[test]
fn q_and_control_c_quit() {
    let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
    let mut state = state();
    assert_eq!(press(&mut state, typed("q")), Next::Quit);
    press(&mut state, typed("/"));
    assert_eq!((state.press(control('c')), state.press(control('q'))), (Next::Quit, Next::Go));
}
