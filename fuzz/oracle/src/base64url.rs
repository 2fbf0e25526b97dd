//! RFC 4648, section 5, without padding.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The bytes that `text` is the encoding of. Encoding them again must give `text`, so each has one spelling.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bits = Vec::new();
    for character in text {
        let value = ALPHABET.iter().position(|candidate| candidate == character)?;
        bits.extend((0..6).rev().map(|place| value >> place & 1));
    }
    let bytes: Vec<u8> = bits
        .chunks_exact(8)
        .map(|byte| byte.iter().fold(0, |byte, bit| byte << 1 | *bit as u8))
        .collect();
    (encode(&bytes) == text).then_some(bytes)
}

fn encode(bytes: &[u8]) -> Vec<u8> {
    let bits: Vec<usize> = bytes
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |place| usize::from(byte >> place & 1)))
        .collect();
    let value = |six: &[usize]| (0..6).fold(0, |value, place| value << 1 | six.get(place).unwrap_or(&0));
    bits.chunks(6).map(|six| ALPHABET[value(six)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_without_their_padding() {
        for (text, bytes) in [
            ("", ""),
            ("Zg", "f"),
            ("Zm8", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg", "foob"),
            ("Zm9vYmE", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(decode(b"-_-_"), Some(vec![0xfb, 0xff, 0xbf]));
    }

    #[test]
    fn another_spelling_is_no_encoding() {
        for text in ["Zg==", "Zh", "Zm9", "Z", "Zm9vY", "+/+/", "Zg ", "Zg\n"] {
            assert_eq!(decode(text.as_bytes()), None, "{text:?}");
        }
    }
}
