//! XML as XMPP uses it: whole elements below the stream's root.
//!
//! Promises: what a server can make us keep is bounded; nothing that is written can break out of where it stands.

use rxml::{AttrMap, Event, QName};
use std::fmt::Write;

/// Most of one element: its depth, and the bytes of its names and texts.
const DEEPEST: usize = 64;
const LARGEST: usize = 1 << 20;

/// One element with all that is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    namespace: String,
    attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    pub(super) text: String,
}

impl Element {
    fn new((namespace, name): QName, attributes: AttrMap) -> Self {
        let attributes = attributes.into_iter().map(|((_, name), value)| (name.to_string(), value));
        Self {
            name: name.to_string(),
            namespace: namespace.to_string(),
            attributes: attributes.collect(),
            ..Self::default()
        }
    }

    pub(super) fn is(&self, name: &str, namespace: &str) -> bool {
        self.name == name && self.namespace == namespace
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    fn size(&self) -> usize {
        let attributes: usize = self.attributes.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.name.len() + self.namespace.len() + attributes
    }
}

/// What an event of the parser came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Grown {
    /// The root has begun.
    Opened,
    Whole(Element),
    /// The root has ended.
    Ended,
    TooLarge,
}

/// An element in the making.
#[derive(Debug, Default)]
pub(super) struct Growing {
    /// From the stream's root to the element that is open.
    open: Vec<Element>,
    size: usize,
}

impl Growing {
    pub(super) fn grow(&mut self, event: Event) -> Option<Grown> {
        match event {
            Event::XmlDeclaration(..) => None,
            Event::StartElement(_, name, attributes) => {
                let element = Element::new(name, attributes);
                self.size += element.size();
                self.open.push(element);
                (self.open.len() == 1).then_some(Grown::Opened)
            }
            // Between elements there is white space, by which servers see whether we live.
            Event::Text(_, text) => match &mut self.open[..] {
                [_, .., last] => {
                    self.size += text.len();
                    last.text.push_str(&text);
                    None
                }
                _ => None,
            },
            Event::EndElement(_) => self.end(),
        }
        .or((self.open.len() > DEEPEST || self.size > LARGEST).then_some(Grown::TooLarge))
    }

    fn end(&mut self) -> Option<Grown> {
        let ended = self.open.pop()?;
        match &mut self.open[..] {
            [] => Some(Grown::Ended),
            [_] => {
                self.size = 0;
                Some(Grown::Whole(ended))
            }
            [.., parent] => {
                parent.children.push(ended);
                None
            }
        }
    }
}

/// A text as it stands in an element or between quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\'' => escaped.push_str("&apos;"),
            '"' => escaped.push_str("&quot;"),
            // An end of line that is not written like this would come out as another one.
            '\r' | '\n' | '\t' => {
                let _ = write!(escaped, "&#{};", u32::from(c));
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Whether XML 1.0 can carry it (2.2).
pub(super) fn is_carried(text: &str) -> bool {
    text.chars().all(|c| match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        _ => c >= ' ',
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rxml::{Parse, Parser};

    fn grown(text: &str) -> Vec<Grown> {
        let (mut parser, mut growing, mut rest) = (Parser::new(), Growing::default(), text.as_bytes());
        let mut all = Vec::new();
        while let Ok(Some(event)) = parser.parse(&mut rest, true) {
            all.extend(growing.grow(event));
        }
        all
    }

    #[test]
    fn elements_below_the_root_come_out_whole() {
        let all = grown("<s xmlns='a'> <m id='1'>x<b xmlns='c'>y&amp;</b>z</m>\n<p/></s>");
        let [Grown::Opened, Grown::Whole(m), Grown::Whole(p), Grown::Ended] = &all[..] else {
            panic!("{all:?}")
        };
        assert!(m.is("m", "a") && m.attribute("id") == Some("1") && m.text == "xz", "{m:?}");
        assert!(m.child("b").is_some_and(|b| b.is("b", "c") && b.text == "y&"), "{m:?}");
        assert!(p.is("p", "a") && p.attribute("id").is_none());
    }

    #[test]
    fn what_has_no_end_is_given_up() {
        let deep = format!("<s xmlns='a'>{}", "<m>".repeat(100));
        assert!(grown(&deep).contains(&Grown::TooLarge));
        let long = format!("<s xmlns='a'><m>{}", "x".repeat(LARGEST + 10));
        assert!(grown(&long).contains(&Grown::TooLarge));
    }

    proptest! {
        #[test]
        fn what_is_escaped_is_read_as_it_was(text: String) {
            prop_assume!(is_carried(&text));
            let xml = format!("<s xmlns='a'><m t='{0}'>{0}</m></s>", escaped(&text));
            let all = grown(&xml);
            let Some(Grown::Whole(m)) = all.get(1) else { return Err(TestCaseError::fail(format!("{all:?}"))) };
            prop_assert_eq!(&m.text, &text);
            prop_assert_eq!(m.attribute("t"), Some(&*text));
        }
    }
}
