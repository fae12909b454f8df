//! Neutral texts in mixed scripts, and rules hidden in them: the bench that a search is measured on.
//!
//! Promises: the same seed gives the same texts; nothing in them is a sentence of anybody's.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};

/// Everyday characters; sequences of them are drawn at random.
const HAN: &str = "天地人水火木山川日月风云花草树叶春夏秋冬早晚来去上下左右前后里外大小多少长短高低新旧红黄蓝白黑\
    茶饭米面鱼鸟牛羊马门窗桌椅书笔纸灯车船路桥田园海河湖石沙雨雪星光声色香味心手足目耳口头面衣帽鞋布线针针\
    一二三四五六七八九十百千万元分时今明昨年岁周点刻次个只本张条件把位名家村城市国店学校老师同朋友亲邻客主";
const LATIN: &[&str] = &[
    "lamp", "river", "window", "paper", "bread", "garden", "yellow", "table", "quiet", "morning", "bridge",
    "apple", "letter", "winter", "music", "boat", "kitchen", "stone", "early", "visit",
];
const CYRILLIC: &[&str] = &["утро", "река", "дом", "письмо", "хлеб", "окно", "лампа", "зима", "сад", "лодка"];
const ARABIC: &[&str] = &["بيت", "نهر", "كتاب", "صباح", "خبز", "نافذة", "حديقة"];

/// Chance of 1 to 5 words in a rule, and of 2, 3, 4 or other characters in a word.
const WORDS: [f64; 5] = [0.02, 0.14, 0.24, 0.55, 0.05];
const LENGTHS: [f64; 4] = [0.62, 0.19, 0.14, 0.05];
const OTHER: [usize; 5] = [1, 5, 5, 6, 7];

/// A blocked text and the rule that blocks it.
#[derive(Clone, Debug)]
pub struct Case {
    pub text: String,
    /// In the order of the text.
    pub rule: Vec<String>,
}

/// Where rules take their words from, by number of characters.
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    by_length: Vec<Vec<String>>,
}

impl Lexicon {
    pub fn new(words: impl IntoIterator<Item = String>) -> Self {
        let mut lexicon = Self::default();
        for word in words {
            let length = word.chars().count();
            if lexicon.by_length.len() <= length {
                lexicon.by_length.resize(length + 1, Vec::new());
            }
            lexicon.by_length[length].push(word);
        }
        lexicon
    }

    /// A word of this many characters; a random one where the lexicon has none.
    fn draw(&self, length: usize, random: &mut impl Rng) -> String {
        let listed = self.by_length.get(length).and_then(|words| words.choose(random));
        listed.cloned().unwrap_or_else(|| word(length, random))
    }
}

/// A random sequence of rarer characters.
pub fn word(length: usize, random: &mut impl Rng) -> String {
    (0..length).filter_map(|_| char::from_u32(random.random_range(0x6e00..0x9000))).collect()
}

/// Neutral text: mostly Chinese without spaces, with words of other scripts in between.
pub fn text(length: usize, random: &mut impl Rng) -> Vec<char> {
    let han: Vec<char> = HAN.chars().collect();
    let mut text = Vec::with_capacity(length + 12);
    while text.len() < length {
        match random.random_range(0..20) {
            0 => {
                let words = *[LATIN, LATIN, CYRILLIC, ARABIC].choose(random).unwrap_or(&LATIN);
                text.push(' ');
                text.extend(words.choose(random).unwrap_or(&"lamp").chars());
                text.push(' ');
            }
            1 => text.extend(['，', '。', '！'].choose(random)),
            _ => text.extend((0..random.random_range(2..9)).filter_map(|_| han.choose(random).copied())),
        }
    }
    text.truncate(length);
    text
}

/// A text of 300 to 900 characters that holds one rule, its words scattered over it.
pub fn case(lexicon: &Lexicon, random: &mut impl Rng) -> Case {
    let words = 1 + draw(&WORDS, random);
    let mut rule: Vec<String> = Vec::new();
    while rule.len() < words {
        let length = match draw(&LENGTHS, random) {
            3 => *OTHER.choose(random).unwrap_or(&1),
            at => at + 2,
        };
        let word = lexicon.draw(length, random);
        // A word within another is not needed.
        if rule.iter().all(|known| !known.contains(&word) && !word.contains(known.as_str())) {
            rule.push(word);
        }
    }
    let length = random.random_range(300..=900);
    let planted: usize = rule.iter().map(|word| word.chars().count()).sum();
    let neutral = text(length - planted, random);
    let mut places: Vec<usize> = (0..words).map(|_| random.random_range(0..=neutral.len())).collect();
    places.sort_unstable();
    let mut built = String::new();
    let mut from = 0;
    for (place, word) in places.into_iter().zip(&rule) {
        built.extend(&neutral[from..place]);
        built.push_str(word);
        from = place;
    }
    built.extend(&neutral[from..]);
    Case { text: built, rule }
}

fn draw(chances: &[f64], random: &mut impl Rng) -> usize {
    let mut left: f64 = random.random();
    for (at, chance) in chances.iter().enumerate() {
        left -= chance;
        if left < 0.0 {
            return at;
        }
    }
    chances.len() - 1
}
