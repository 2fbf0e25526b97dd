//! From the fuzzer's bytes to the field lines of a message.

use http::{HeaderMap, HeaderName, HeaderValue};

/// `name: value`, one to a line. What no server would hand on is left out: names that are no tokens, and values with
/// control characters.
pub fn lines(data: &[u8]) -> Vec<(String, Vec<u8>)> {
    let line = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        HeaderName::from_bytes(name).ok()?;
        HeaderValue::from_bytes(value).ok()?;
        Some((String::from_utf8(name.to_vec()).ok()?, value.to_vec()))
    };
    data.split(|byte| *byte == b'\n').filter_map(line).collect()
}

/// The same lines as the SDK takes them.
pub fn header_map(lines: &[(String, Vec<u8>)]) -> HeaderMap {
    let line = |(name, value): &(String, Vec<u8>)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name that was checked");
        let value = HeaderValue::from_bytes(value).expect("a value that was checked");
        (name, value)
    };
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().map(line) {
        headers.append(name, value);
    }
    headers
}
