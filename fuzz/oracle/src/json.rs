//! JSON by the grammar of RFC 8259, with everything kept that a strict reader wants to know: repeated members, halves of
//! surrogate pairs, numbers as they were written.

/// Deepest nesting that a strict text has, the outermost value included.
const MAX_DEPTH: usize = 64;
/// Deepest nesting that is read at all.
const STACK: usize = 2000;

/// A JSON value. Texts are UTF-16 units, which is what their escapes spell.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(Vec<u16>),
    Array(Vec<Json>),
    Object(Vec<(Vec<u16>, Json)>),
}

/// The value that the text is. `None` for what is not a JSON text in UTF-8, or is nested beyond any use.
pub fn parse(text: &[u8]) -> Option<Json> {
    let characters: Vec<char> = str::from_utf8(text).ok()?.chars().collect();
    let mut reader = Reader { rest: &characters };
    reader.blank();
    let value = reader.value(0)?;
    reader.blank();
    reader.rest.is_empty().then_some(value)
}

/// The members of the one object that the text is, if nothing about it is open to two readings.
pub fn strict_object(text: &[u8]) -> Option<Json> {
    parse(text).filter(|value| matches!(value, Json::Object(_)) && value.is_strict())
}

impl Json {
    /// The value of a member; of the last one, if several have the name.
    pub fn get(&self, name: &str) -> Option<&Json> {
        let Json::Object(members) = self else { return None };
        let name: Vec<u16> = name.encode_utf16().collect();
        members
            .iter()
            .rfind(|(candidate, _)| *candidate == name)
            .map(|(_, value)| value)
    }

    /// The text, unless it has halves of surrogate pairs.
    pub fn text(&self) -> Option<String> {
        match self {
            Json::Text(units) => String::from_utf16(units).ok(),
            _ => None,
        }
    }

    pub fn is(&self, text: &str) -> bool {
        self.text().as_deref() == Some(text)
    }

    /// The number as the nearest double.
    pub fn number(&self) -> Option<f64> {
        match self {
            Json::Number(digits) => digits.parse().ok(),
            _ => None,
        }
    }

    /// Depth of at most 64, no repeated member, no half of a surrogate pair, no number beyond a double.
    pub fn is_strict(&self) -> bool {
        self.depth() <= MAX_DEPTH && self.is_unambiguous()
    }

    /// The same value for every spelling: members in the order of their names, numbers as 64-bit integers where they are
    /// written as such and fit, and else as the nearest double.
    pub fn normal(&self) -> Json {
        match self {
            Json::Number(digits) => Json::Number(match digits.parse::<i128>() {
                Ok(whole) if digits != "-0" && (i64::MIN.into()..=u64::MAX.into()).contains(&whole) => {
                    whole.to_string()
                }
                _ => format!("{:?}", self.number()),
            }),
            Json::Array(items) => Json::Array(items.iter().map(Json::normal).collect()),
            Json::Object(members) => {
                let mut members: Vec<_> = members
                    .iter()
                    .map(|(name, value)| (name.clone(), value.normal()))
                    .collect();
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                Json::Object(members)
            }
            other => other.clone(),
        }
    }

    fn depth(&self) -> usize {
        match self {
            Json::Array(items) => 1 + items.iter().map(Json::depth).max().unwrap_or(0),
            Json::Object(members) => 1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    fn is_unambiguous(&self) -> bool {
        match self {
            Json::Null | Json::Bool(_) => true,
            Json::Number(_) => self.number().is_some_and(f64::is_finite),
            Json::Text(_) => self.text().is_some(),
            Json::Array(items) => items.iter().all(Json::is_unambiguous),
            Json::Object(members) => members.iter().enumerate().all(|(place, (name, value))| {
                String::from_utf16(name).is_ok()
                    && members[..place].iter().all(|(earlier, _)| earlier != name)
                    && value.is_unambiguous()
            }),
        }
    }
}

/// What has not been read yet. A method reads one production of the grammar, or says that it is not there.
struct Reader<'t> {
    rest: &'t [char],
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn peek(&self) -> Option<char> {
        self.rest.first().copied()
    }

    fn literal(&mut self, word: &str) -> Option<()> {
        word.chars()
            .try_for_each(|expected| (self.next()? == expected).then_some(()))
    }

    fn blank(&mut self) {
        while let Some(' ' | '\t' | '\n' | '\r') = self.peek() {
            self.next();
        }
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        match self.peek()? {
            'n' => self.literal("null").map(|()| Json::Null),
            't' => self.literal("true").map(|()| Json::Bool(true)),
            'f' => self.literal("false").map(|()| Json::Bool(false)),
            '"' => self.string().map(Json::Text),
            '[' if depth < STACK => self.array(depth + 1),
            '{' if depth < STACK => self.object(depth + 1),
            '-' | '0'..='9' => self.number(),
            _ => None,
        }
    }

    fn array(&mut self, depth: usize) -> Option<Json> {
        self.literal("[")?;
        self.blank();
        let mut items = Vec::new();
        if self.peek()? == ']' {
            self.next();
            return Some(Json::Array(items));
        }
        loop {
            self.blank();
            items.push(self.value(depth)?);
            self.blank();
            match self.next()? {
                ',' => {}
                ']' => return Some(Json::Array(items)),
                _ => return None,
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        self.literal("{")?;
        self.blank();
        let mut members = Vec::new();
        if self.peek()? == '}' {
            self.next();
            return Some(Json::Object(members));
        }
        loop {
            self.blank();
            let name = self.string()?;
            self.blank();
            self.literal(":")?;
            self.blank();
            members.push((name, self.value(depth)?));
            self.blank();
            match self.next()? {
                ',' => {}
                '}' => return Some(Json::Object(members)),
                _ => return None,
            }
        }
    }

    fn string(&mut self) -> Option<Vec<u16>> {
        self.literal("\"")?;
        let mut units = Vec::new();
        loop {
            let character = match self.next()? {
                '"' => return Some(units),
                '\\' => match self.next()? {
                    'u' => {
                        units.push(self.four_hex_digits()?);
                        continue;
                    }
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    same @ ('"' | '\\' | '/') => same,
                    _ => return None,
                },
                '\0'..='\u{1f}' => return None,
                other => other,
            };
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
        }
    }

    fn four_hex_digits(&mut self) -> Option<u16> {
        (0..4).try_fold(0, |unit, _| Some(unit << 4 | self.next()?.to_digit(16)? as u16))
    }

    /// `[ "-" ] ( "0" / 1-9 *digit ) [ "." 1*digit ] [ ( "e" / "E" ) [ "+" / "-" ] 1*digit ]`
    fn number(&mut self) -> Option<Json> {
        let before = self.rest;
        if self.peek() == Some('-') {
            self.next();
        }
        match self.next()? {
            '0' => {}
            '1'..='9' => self.digits(0)?,
            _ => return None,
        }
        if self.peek() == Some('.') {
            self.next();
            self.digits(1)?;
        }
        if let Some('e' | 'E') = self.peek() {
            self.next();
            if let Some('+' | '-') = self.peek() {
                self.next();
            }
            self.digits(1)?;
        }
        let length = before.len() - self.rest.len();
        Some(Json::Number(before[..length].iter().collect()))
    }

    fn digits(&mut self, at_least: usize) -> Option<()> {
        let mut count = 0;
        while let Some('0'..='9') = self.peek() {
            self.next();
            count += 1;
        }
        (count >= at_least).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_that_of_rfc_8259() {
        for text in [
            "0",
            "-0",
            "10",
            "0.5",
            "1e9",
            "1E-09",
            " [ 1 , {} ] ",
            r#""\u00e9\/""#,
            r#"{"":null}"#,
            "\r\n\t true",
        ] {
            assert!(parse(text.as_bytes()).is_some(), "{text:?}");
        }
        for text in [
            "",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "+1",
            "[1,]",
            "{,}",
            "{1:2}",
            "'a'",
            "\"\u{1}\"",
            r#""\x41""#,
            r#""\u12g4""#,
            "nul",
            "1 2",
            "\u{feff}{}",
            "\u{a0}1",
            "NaN",
        ] {
            assert!(parse(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(parse(b"\"\xff\"").is_none());
    }

    #[test]
    fn strict_is_what_every_reader_reads_alike() {
        for text in [
            r#"{"a":{"a":1}}"#,
            r#"{"a":"\ud83d\ude00"}"#,
            r#"{"a":1.7e308}"#,
            &nested(64),
        ] {
            assert!(strict_object(text.as_bytes()).is_some(), "{text}");
        }
        for text in [
            r#"{"a":1,"\u0061":1}"#,
            r#"{"a":"\ud83d"}"#,
            r#"{"\udc00":1}"#,
            r#"{"a":1e309}"#,
            "[]",
            &nested(65),
        ] {
            assert!(strict_object(text.as_bytes()).is_none(), "{text}");
        }
    }

    fn nested(depth: usize) -> String {
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        format!(r#"{{"a":{open}{close}}}"#)
    }
}
