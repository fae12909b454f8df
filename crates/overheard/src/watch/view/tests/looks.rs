//! How the view looks at three sizes, and what it never shows.

use super::*;
use insta::assert_snapshot;
use proptest::prelude::*;
use ratatui::style::Color;

#[test]
fn endpoints_on_three_screens() {
    for (width, height) in [(80, 24), (120, 40), (40, 10)] {
        assert_snapshot!(format!("endpoints_{width}x{height}"), screen(&state(), width, height));
    }
}

#[test]
fn an_endpoint_with_its_flows_on_three_screens() {
    let mut state = state();
    press(&mut state, [KeyCode::Char('/'), KeyCode::Char('h'), KeyCode::Char('t'), KeyCode::Char('t')]);
    press(&mut state, [KeyCode::Enter, KeyCode::Enter]);
    assert_eq!(state.opened().map(|endpoint| endpoint.packet), Some(3));
    state.tell(vec![flow(), flow()]);
    for (width, height) in [(80, 24), (120, 40), (40, 10)] {
        assert_snapshot!(format!("detail_{width}x{height}"), screen(&state, width, height));
    }
}

#[test]
fn help_output_and_an_ended_source() {
    let mut state = state();
    press(&mut state, [KeyCode::Char('?')]);
    assert_snapshot!("help_80x24", screen(&state, 80, 24));
    press(&mut state, [KeyCode::Char('o')]);
    state.see(Sight { ended: Some("the app ended with exit status 3".into()), missed: 12, ..sight() });
    assert_snapshot!("output_80x24", screen(&state, 80, 24));
}

#[test]
fn where_there_is_nothing_to_show_it_is_said() {
    let mut state = state();
    press(&mut state, "/nowhere".chars().map(KeyCode::Char));
    assert!(screen(&state, 80, 24).to_string().contains("Nothing passes the filter"));
    assert_snapshot!("silent_80x24", screen(&State::new("-".into(), true), 80, 24));
}

/// Of the row that holds the text: its first sign and its colour.
fn drawn(state: &State, text: &str) -> (String, Option<Color>) {
    let backend = screen(state, 80, 24);
    let buffer = backend.buffer();
    let line = |y: u16| (0..80).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    let y = (0..24).find(|y| line(*y).contains(text)).expect("the row is there");
    (buffer[(1, y)].symbol().to_owned(), Some(buffer[(3, y)].fg).filter(|color| *color != Color::Reset))
}

#[test]
fn a_sign_says_what_a_colour_says() {
    for color in [true, false] {
        let state = State { color, ..state() };
        assert_eq!(drawn(&state, "lantern"), ("●".to_owned(), color.then_some(Color::Red)));
        assert_eq!(drawn(&state, "198.51.100.5"), (" ".to_owned(), None), "of no concern");
    }
}

#[test]
fn what_was_only_tried_is_told_apart_and_is_no_contact() {
    let tried = Row { contact: Contact::Certain, carried: false, ..row(1, "CN", "log.lantern.example.org") };
    let mut state = State::new("app".into(), true);
    state.see(Sight { rows: vec![tried, row(2, "US", "b.example.org")], ..Sight::default() });
    let text = screen(&state, 80, 24).to_string();
    assert!(text.contains("1 endpoint, 1 tried, not carried, 1 country"), "{text}");
    assert_eq!(drawn(&state, "lantern"), ("○".to_owned(), Some(Color::Yellow)));
    press(&mut state, [KeyCode::Char('/')].into_iter().chain("not carried".chars().map(KeyCode::Char)));
    press(&mut state, [KeyCode::Enter, KeyCode::Enter]);
    let text = screen(&state, 80, 24).to_string();
    assert!(text.contains("TLS, tried, not carried") || text.contains("tls, tried, not carried"), "{text}");
}

#[test]
fn what_is_missed_is_told() {
    let mut state = state();
    state.see(Sight { missed: 3, ..sight() });
    assert!(screen(&state, 80, 24).to_string().contains("3 packets not shown"));
}

fn key() -> impl Strategy<Value = KeyCode> {
    let named = prop::sample::select(vec![
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Backspace,
    ]);
    let typed = prop::sample::select("srpojk?/ x\u{1b}例".chars().collect::<Vec<_>>());
    prop_oneof![named, typed.prop_map(KeyCode::Char)]
}

proptest! {
    /// Whatever keys were pressed and however small the screen is: no panic, and nothing that acts.
    #[test]
    fn no_cell_acts_on_the_terminal(
        keys in prop::collection::vec(key(), 0..12),
        width in 0..160_u16,
        height in 0..30_u16,
        ended in any::<bool>(),
    ) {
        let mut state = state();
        for key in keys {
            press(&mut state, [key]);
            state.tell(vec![flow()]);
            state.see(Sight { ended: ended.then(|| "\u{9b}ended\n".into()), ..sight() });
        }
        let backend = screen(&state, width, height);
        for cell in backend.buffer().content() {
            let acts = |character: char| character.is_control() || "\u{202e}\u{200b}".contains(character);
            prop_assert!(!cell.symbol().contains(acts), "{:?}", cell.symbol());
        }
    }
}
