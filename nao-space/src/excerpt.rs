//! What messages show of texts and lists from outside: their beginning, so that a message fits on a screen.
//!
//! ```
//! use nao_space::excerpt::{excerpt, listed, listed_up_to, shortened};
//!
//! assert_eq!(excerpt("a short text"), "a short text");
//! assert_eq!(excerpt("a\nb"), "a\\nb");
//! let long = excerpt(&"ab".repeat(1_000_000));
//! assert!(long.starts_with("abab") && long.ends_with("… (2000000 bytes)") && long.len() < 200, "{long}");
//!
//! assert_eq!(listed(["a", "b"]), "a, b");
//! assert!(listed((0..1000).map(|i| i.to_string())).ends_with(", 22, ... (976 more) ..., 999"));
//! assert_eq!(listed_up_to(3, ["a", "b", "c"]), "a, b, c");
//!
//! let message = format!("unknown field `{}` at line 1", "x".repeat(1_000_000));
//! let message = shortened(&message, 100);
//! assert!(message.starts_with("unknown field `x") && message.ends_with("x` at line 1") && message.len() < 200);
//! ```

/// How many characters of a text are shown.
const CHARACTERS: usize = 120;

/// How many things of a list are shown.
const THINGS: usize = 24;

/// The beginning of a text on one line, and how long it is where that is not all.
pub fn excerpt(text: &str) -> String {
    let mut shown = on_one_line(text, CHARACTERS);
    if text.chars().nth(CHARACTERS).is_some() {
        shown.push_str(&format!("… ({} bytes)", text.len()));
    }
    shown
}

/// The beginning and the end of a message, of which the middle is left out where it has more than `most` characters: what
/// is wrong stands at the beginning, the place or the remedy often at the end.
pub fn shortened(message: &str, most: usize) -> String {
    let count = message.chars().count();
    if count <= most {
        return message.to_owned();
    }
    let (head, tail) = (most * 2 / 3, most / 3);
    let beginning: String = message.chars().take(head).collect();
    let end: String = message.chars().skip(count - tail).collect();
    format!("{beginning} … ({} characters left out) … {end}", count - head - tail)
}

/// Some things, separated by commas; of many the first and the last, and how many stand between.
pub fn listed<T: AsRef<str>>(things: impl IntoIterator<Item = T>) -> String {
    listed_up_to(THINGS, things)
}

/// As [`listed`], of more than `most` things the first and the last.
pub fn listed_up_to<T: AsRef<str>>(most: usize, things: impl IntoIterator<Item = T>) -> String {
    let mut things = things.into_iter();
    let mut shown: Vec<String> =
        things.by_ref().take(most.max(2) - 1).map(|thing| excerpt(thing.as_ref())).collect();
    let (mut between, mut last) = (0, None);
    for thing in things {
        between += usize::from(last.replace(thing).is_some());
    }
    if between > 0 {
        shown.push(format!("... ({between} more) ..."));
    }
    shown.extend(last.map(|thing| excerpt(thing.as_ref())));
    shown.join(", ")
}

/// At most this many characters; characters that steer a terminal are written out.
pub(crate) fn on_one_line(text: &str, most: usize) -> String {
    let characters = text.chars().take(most).flat_map(|character| {
        let escaped = character.is_control().then(|| character.escape_default());
        let plain = escaped.is_none().then_some(character);
        escaped.into_iter().flatten().chain(plain)
    });
    characters.collect()
}
