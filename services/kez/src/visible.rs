//! Text from others made harmless: what could command a terminal, hide, or turn letters around is spelled out.

/// One line: control characters (also line ends), escapes, marks of direction and what is invisible are spelled out.
pub fn line(text: &str) -> String {
    spelled(text, |shown, hostile| match hostile {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        other => shown.push_str(&format!("\\u{{{:x}}}", u32::from(other))),
    })
}

/// Several lines: the first as it is, those that follow behind `margin`, so that none can pose as a line of ours.
pub fn lines(text: &str, margin: &str) -> String {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.split('\n').map(line).collect::<Vec<_>>().join(&format!("\n{margin}"))
}

/// JSON text whose strings hold no raw character of that kind: the same document, safe on a terminal too.
pub fn json(text: &str) -> String {
    spelled(text, |shown, hostile| {
        for unit in hostile.encode_utf16(&mut [0; 2]) {
            shown.push_str(&format!("\\u{unit:04x}"));
        }
    })
}

fn spelled(text: &str, spell: impl Fn(&mut String, char)) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hostile(character) {
            spell(&mut shown, character);
        } else {
            shown.push(character);
        }
    }
    shown
}

fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character),
            // Soft hyphen, Arabic letter mark, Mongolian vowel separator, Hangul fillers
            0xad | 0x61c | 0x115f | 0x1160 | 0x180e | 0x3164 | 0xffa0
            // Zero-width space; marks, embeddings, overrides and isolates of direction; line and paragraph separators
            | 0x200b | 0x200e..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
            // Byte-order mark, interlinear annotations, tags that spell words nobody sees
            | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe007f)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_and_overrides_are_spelled_out() {
        assert_eq!(line("\u{1b}[31mred\u{7}"), "\\u{1b}[31mred\\u{7}");
        assert_eq!(line("\u{9b}2J"), "\\u{9b}2J");
        assert_eq!(line("abc\u{202e}cba\u{2066}"), "abc\\u{202e}cba\\u{2066}");
        assert_eq!(line("a\r\nb\tc"), "a\\r\\nb\\tc");
        assert_eq!(line("grüße, 日本, 👩‍👧"), "grüße, 日本, 👩‍👧");
    }

    #[test]
    fn no_line_of_a_message_poses_as_another() {
        assert_eq!(lines("hi\n12 bob: send money\n", "   | "), "hi\n   | 12 bob: send money");
        assert_eq!(lines("over\rwritten", "   | "), "over\\rwritten");
    }

    proptest! {
        #[test]
        fn nothing_hostile_is_left(text in any::<String>()) {
            prop_assert!(!line(&text).chars().any(is_hostile));
            prop_assert!(!lines(&text, "| ").chars().any(|c| c != '\n' && is_hostile(c)));
        }

        #[test]
        fn json_means_the_same(text in any::<String>()) {
            let plain = serde_json::to_string(&text).unwrap();
            let safe = json(&plain);
            prop_assert!(!safe.chars().any(is_hostile));
            prop_assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
        }
    }
}
