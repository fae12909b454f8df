//! How a client shows that something arrived: a line with `{from}` and `{text}` in it.
//!
//! `{from}` is a word or a part of one, and so is `{any}`, for what is of no interest, such as an address behind a name. The
//! pattern may begin anywhere in a line, behind a time for example; a text goes on to the next literal or the line's end.

/// One piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    From,
    Text,
    Any,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

/// What a line says: who wrote what. Absent where the pattern does not ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) from: String,
    pub(super) text: String,
}

const FIELDS: [(&str, Piece); 3] = [("{from}", Piece::From), ("{text}", Piece::Text), ("{any}", Piece::Any)];

impl Pattern {
    /// The error says what is wrong with it.
    pub fn parse(written: &str) -> Result<Self, String> {
        let (mut pieces, mut rest) = (Vec::new(), written);
        while !rest.is_empty() {
            let next = FIELDS.iter().filter_map(|(name, piece)| Some((rest.find(name)?, name, piece)));
            let (at, name, piece) = match next.min_by_key(|(at, ..)| *at) {
                Some((at, name, piece)) => (at, name.len(), Some(piece.clone())),
                None => (rest.len(), 0, None),
            };
            if at > 0 {
                pieces.push(Piece::Literal(rest[..at].to_owned()));
            }
            let adjacent =
                at == 0 && matches!(pieces.last(), Some(last) if !matches!(last, Piece::Literal(_)));
            if adjacent {
                return Err("two fields without anything between them".into());
            }
            pieces.extend(piece);
            rest = &rest[at + name..];
        }
        match pieces.first() {
            Some(Piece::Literal(_)) => Ok(Self(pieces)),
            _ => Err("it must begin with something that the client prints, such as <{from}> {text}".into()),
        }
    }

    pub fn asks_for_text(&self) -> bool {
        self.0.contains(&Piece::Text)
    }

    /// What the line says, if it is of this kind.
    pub(super) fn of(&self, line: &str) -> Option<Said> {
        let [Piece::Literal(first), rest @ ..] = &self.0[..] else { return None };
        line.match_indices(first.as_str()).find_map(|(at, _)| said(rest, &line[at + first.len()..]))
    }
}

/// Every field ends at the next literal behind it.
fn said(mut pieces: &[Piece], mut line: &str) -> Option<Said> {
    let mut said = Said::default();
    while let [piece, rest @ ..] = pieces {
        let (value, after, skip) = match (piece, rest) {
            (Piece::Literal(_), _) => return None,
            (_, [Piece::Literal(end), ..]) => {
                let (value, after) = line.split_once(end.as_str())?;
                (value, after, 2)
            }
            _ => (line, "", 1),
        };
        match piece {
            Piece::From | Piece::Any if value.contains(char::is_whitespace) => return None,
            Piece::From if value.is_empty() => return None,
            Piece::From => said.from = value.to_owned(),
            Piece::Text => said.text = value.to_owned(),
            Piece::Any | Piece::Literal(_) => {}
        }
        (pieces, line) = (&pieces[skip..], after);
    }
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str, line: &str) -> Option<(String, String)> {
        Pattern::parse(pattern).unwrap().of(line).map(|said| (said.from, said.text))
    }

    #[test]
    fn lines_of_clients_are_read() {
        let said = |from: &str, text: &str| Some((from.to_owned(), text.to_owned()));
        assert_eq!(of("<{from}> {text}", "12:31 <bob> 你好 <x> y"), said("bob", "你好 <x> y"));
        assert_eq!(of("[{from}({any})] {text}", "12:31 [bob(~b@host)] hi"), said("bob", "hi"));
        assert_eq!(of("[{from}({any}@{any})] {text}", "12:31 [msg(bob)] to a@b (c)] d"), None);
        assert_eq!(of("<{from}> {text}", "a < b and <bob> hi"), said("bob", "hi"));
        assert_eq!(of("<{from}> {text}", "12:31 -!- bob has joined"), None);
        assert_eq!(of("{{from}}: {text}!", "x{bob}: hi!"), said("bob", "hi"));
        assert_eq!(of("No such nick", "bob: No such nick/channel"), said("", ""));
    }

    #[test]
    fn patterns_without_a_hold_are_refused() {
        for pattern in ["", "{text}", "<{from}{text}>", "{from}> {text}"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
