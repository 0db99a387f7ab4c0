//! Text in pictures: escaping, and widths without asking a font.

/// Text between XML tags or quotes. Characters that XML does not have become replacement characters.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
    out
}

/// About how wide a text is set, rather too wide than too narrow: system fonts differ.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let ems = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' => 0.34,
        'm' | 'w' | 'M' | 'W' | '%' => 0.95,
        c if c.is_ascii() => 0.62,
        _ => 1.0,
    };
    size * text.chars().map(ems).sum::<f64>()
}

/// The words of a text in lines of at most `width`; longer words are broken.
pub(super) fn wrapped(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            if text_width(&line, size) + text_width(" ", size) + text_width(word, size) <= width {
                line.push(' ');
            } else {
                lines.push(std::mem::take(&mut line));
            }
        }
        for c in word.chars() {
            if !line.is_empty()
                && text_width(&line, size) + text_width(c.encode_utf8(&mut [0; 4]), size) > width
            {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_into_markup() {
        assert_eq!(escaped("<a b=\"c\">&'"), "&lt;a b=&quot;c&quot;&gt;&amp;&#39;");
        assert_eq!(escaped("a\u{0}b\u{1b}\nc"), "a\u{fffd}b\u{fffd} c");
    }

    #[test]
    fn lines_keep_to_their_width_and_lose_no_word() {
        let text = "0 7 1 15 2 8 1 7 0 6 1 7 0 8 4 7 averyveryverylongword end";
        let lines = wrapped(text, 12.0, 80.0);
        assert!(lines.len() > 3 && lines.iter().all(|line| text_width(line, 12.0) <= 80.0), "{lines:?}");
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        assert_eq!(letters(&lines.concat()), letters(text));
        assert!(wrapped("  ", 12.0, 80.0).is_empty());
    }
}
