//! HTML as profiles have it, read as text.

/// The longest name of an entity, between `&` and `;`.
const LONGEST_NAME: usize = 8;

/// The text of a piece of HTML: without tags, entities resolved, a line for every block. Whatever it holds is shown to
/// nobody, so that nothing has to be made safe.
pub fn text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let (said, length) = if rest.starts_with('<') { tag(rest) } else { entity(rest) };
        text.extend(said);
        rest = &rest[length..];
    }
    text.push_str(rest);
    text
}

/// What a tag says, and its length. One without an end hides the rest.
fn tag(html: &str) -> (Option<char>, usize) {
    let length = html.find('>').map_or(html.len(), |end| end + 1);
    let name = html[1..length].trim_start_matches('/');
    let name = name.split(|character: char| !character.is_ascii_alphanumeric()).next().unwrap_or_default();
    let breaks = ["br", "p", "div", "li", "ul", "ol", "pre", "blockquote", "tr", "h1", "h2", "h3", "h4"];
    let is_break = breaks.iter().any(|block| name.eq_ignore_ascii_case(block));
    (is_break.then_some('\n'), length)
}

/// The character that an entity stands for, and its length. What is none stands for itself.
fn entity(html: &str) -> (Option<char>, usize) {
    // Not a byte more is looked at: to look as far as the next semicolon, at every `&` anew, would be work that strangers
    // order.
    let whole = html.bytes().skip(1).take(LONGEST_NAME + 1).position(|byte| byte == b';');
    let read = whole.and_then(|length| Some((character(&html[1..=length])?, length + 2)));
    read.map_or((Some('&'), 1), |(character, length)| (Some(character), length))
}

fn character(name: &str) -> Option<char> {
    let number = |digits: &str| match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    };
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        _ => name.strip_prefix('#').and_then(number).and_then(char::from_u32),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn tags_vanish_and_blocks_are_lines() {
        for (html, expected) in [
            ("plain", "plain"),
            ("<p>one</p><p>two<br />three</p>", "\none\n\ntwo\nthree\n"),
            (
                "<a href=\"https://x\" rel='me'><span class=\"invisible\">https://</span>kez</a>",
                "https://kez",
            ),
            ("kez:z1:ab<wbr>cd", "kez:z1:abcd"),
            ("a<b", "a"),
            ("<", ""),
            ("<>a", "a"),
            ("a <P>b", "a \nb"),
        ] {
            assert_eq!(text(html), expected, "{html}");
        }
    }

    #[test]
    fn entities_are_characters() {
        for (html, expected) in [
            ("{&quot;kez&quot;:1}", "{\"kez\":1}"),
            ("&lt;p&gt;&amp;amp;&#39;&#x27;&apos;", "<p>&amp;'''"),
            ("a&nbsp;b", "a\u{a0}b"),
            ("&", "&"),
            ("&;", "&;"),
            ("&unknown; &#xd800; &#99999999; &#; &#x;", "&unknown; &#xd800; &#99999999; &#; &#x;"),
            ("R&D, ä & ö;", "R&D, ä & ö;"),
            ("&ääää; &#1234567; &#12345678;", "&ääää; &#1234567; &#12345678;"),
            ("&#x0020AC;&#x00020AC;", "€&#x00020AC;"),
        ] {
            assert_eq!(text(html), expected, "{html}");
        }
    }

    #[test]
    fn what_a_stranger_writes_is_read_once() {
        // Twice the largest answer that is read. Where each `&` was looked at as far as the end, it took a minute and a half.
        for piece in ["&", "&#", "&a ", "<", "<&"] {
            let html = piece.repeat(2 * 1024 * 1024 / piece.len());
            let begun = Instant::now();
            text(&html);
            assert!(begun.elapsed() < Duration::from_secs(20), "{piece}: {:?}", begun.elapsed());
        }
    }
}
