//! Tokens and key sets from pieces: a good one, of which the fuzzer's bytes spoil as many members as they like, so that
//! checks are met in every combination and not only one at a time.

use arbitrary::{Result, Unstructured};

use crate::fixture::{encode, signature};

/// The members of a good header and a good payload, as JSON. They fit the fixture's issuer, key and time.
const HEADER: &str = r#""alg":"ES256" "kid":"key-1""#;
const PAYLOAD: &str =
    r#""iss":"https://acme.torii.so" "sub":"u" "pid":"e" "iat":1790000000 "exp":1790000300"#;

const HEADER_NAMES: &str =
    r#""alg" "kid" "typ" "crit" "b64" "zip" "enc" "jwk" "jku" "x5c" "\u0061lg" "k\u0069d" "x""#;
const HEADER_VALUES: &str = r#"
    "ES256" "es256" "none" "HS256" "key-1" "key-2" "ambiguous" "unusable" "other" "JWT" "application/at+JWT"
    "application/application/jwt" "Application/Example" "" ["exp"] [] {} null true 1"#;

const CLAIM_NAMES: &str = r#"
    "iss" "sub" "pid" "iat" "exp" "nbf" "aud" "azp" "impersonating" "email_verified" "profile_complete" "act" "o"
    "org_id" "org_role" "locale" "\u0065xp" "x" "" "\ud83d\ude00" "\ud83d""#;
/// Around the leeways of 0, 30 and 300 seconds, the limits of numbers, and every type.
const CLAIM_VALUES: &str = r#"
    "" "u" "https://acme.torii.so" "https://acme.torii.so/" "https://acme.torii.so//" "https://app.example" "api"
    "\udc00" ["web"] ["other","api"] ["api",1] [] {} null true false 0 -0 -0.0 -1 1 1789999699 1789999700 1789999701
    1789999969 1789999970 1789999971 1790000000 1790000000.5 1790000030 1790000030.999 1790000031 1790000300
    1790000301 1.79e9 17900000000e-1 1.7900000309999999e9 9007199254740991 9007199254740992 9007199254740991.4
    18446744073709551615 18446744073709551616 1e400 1e-400 {"sub":"a"} {"sub":1} {"id":"o","rol":"r","slg":"s"}
    {"id":"o","role":"r","slug":"s","rol":1} {"id":1,"x":{"y":[[]]}} {"id":"o","id":"p"}"#;

const JWK: &str = r#"
    "kty":"EC" "crv":"P-256" "kid":"key-1" "x":"dZgstSXQ5J2JpGbnDuAi47fd87jlM0HxJIykpqotW5k"
    "y":"uVlKsvjfuVrUjbqFWQkkRpwtdMNaucfPKWa5QTrQGFg""#;
const JWK_NAMES: &str = r#""kty" "crv" "kid" "x" "y" "alg" "use" "key_ops" "d" "k\u0069d" "x5c" "\ud83d""#;
/// Among them the point of another key, and that of the key above with the sign of `y` changed.
const JWK_VALUES: &str = r#"
    "EC" "RSA" "P-256" "P-384" "key-1" "key-2" "ES256" "ES384" "sig" "enc" "" null 1 {} [[[[]]]] ["verify"]
    ["sign","verify"] ["verify","verify"] ["verify",1] "dZgstSXQ5J2JpGbnDuAi47fd87jlM0HxJIykpqotW5k"
    "8KtD4RCbYnpb1stuBMUX8UQlXLRCmnk6T3aq3M7ZNjs" "ws60MONBQuC-Vvaqtd2420HjhCt4tj0VLeqDzSf9PHI"
    "Rqa1TAcgRqYrckV6pvbbuWPSiz2lRjgw1plGvsUv56c" "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "_____wAAAAEAAAAAAAAAAAAAAAD_______________8" "\udc00""#;
/// The set around the entries, which come in place of `@`.
const SETS: &str = r#"
    {"keys":[@]} {"keys":[@],"keys":[@]} {"a":1,"keys":[@],"a":2} {"keys":[@],"\u006beys":[]} {"a":"\ud83d","keys":[@]}
    {"\ud83d":1,"keys":[@]} {"keys":[[@]]} {"keys":{"keys":[@]}} {"Keys":[@]} [[@]] [@] {"keys":[null,1,@]} @"#;

/// Most members that are spoiled.
const SPOILED: usize = 6;
/// Most entries of a key set.
const ENTRIES: usize = 4;

/// A key set of at most a few entries.
pub(crate) fn composed_set(choices: &mut Unstructured<'_>) -> Result<String> {
    let set = choices.choose_iter(SETS.split_whitespace().collect::<Vec<_>>())?;
    let mut entries = Vec::new();
    for _ in 0..choices.int_in_range(0..=ENTRIES)? {
        let mut entry = members(JWK);
        for _ in 0..choices.int_in_range(0..=SPOILED / 2)? {
            spoil(&mut entry, JWK_NAMES, JWK_VALUES, choices)?;
        }
        entries.push(object(&entry));
    }
    Ok(set.replace('@', &entries.join(",")))
}

pub(crate) fn composed_token(choices: &mut Unstructured<'_>) -> Result<String> {
    let mut header = members(HEADER);
    let mut payload = members(PAYLOAD);
    for _ in 0..choices.int_in_range(0..=SPOILED)? {
        if choices.ratio(1, 4)? {
            spoil(&mut header, HEADER_NAMES, HEADER_VALUES, choices)?;
        } else {
            spoil(&mut payload, CLAIM_NAMES, CLAIM_VALUES, choices)?;
        }
    }
    let segment = |members: &[_]| encode(object(members).as_bytes());
    let signed = format!("{}.{}", segment(&header), segment(&payload));
    let mut signature = signature(&signed).to_vec();
    if choices.ratio(1, 3)? {
        spoil_signature(&mut signature, choices)?;
    }
    let token = format!("{signed}.{}", encode(&signature));
    if choices.ratio(1, 8)? {
        return spoil_text(token, choices);
    }
    Ok(token)
}

/// A name and a value.
type Member<'p> = (&'p str, &'p str);

fn members(texts: &str) -> Vec<Member<'_>> {
    let members = texts.split_whitespace();
    members.filter_map(|member| member.split_once(':')).collect()
}

/// Removes, repeats, replaces or adds a member.
fn spoil<'p>(
    members: &mut Vec<Member<'p>>,
    names: &'p str,
    values: &'p str,
    choices: &mut Unstructured<'_>,
) -> Result<()> {
    let name = choices.choose_iter(names.split_whitespace().collect::<Vec<_>>())?;
    let value = choices.choose_iter(values.split_whitespace().collect::<Vec<_>>())?;
    let place = members.iter().position(|(candidate, _)| *candidate == name);
    match (place, choices.int_in_range(0..=7)?) {
        (Some(place), 0) => drop(members.remove(place)),
        (Some(place), 2..) => members[place].1 = value,
        _ => members.push((name, value)),
    }
    Ok(())
}

fn object(members: &[Member<'_>]) -> String {
    let members = members.iter().map(|(name, value)| format!("{name}:{value}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Another number in place of R or S, both exchanged, another length, or one bit changed.
fn spoil_signature(signature: &mut Vec<u8>, choices: &mut Unstructured<'_>) -> Result<()> {
    let half = signature.len() / 2;
    match choices.int_in_range(0..=7)? {
        0 => signature[..half].fill(choices.arbitrary()?),
        1 => signature[half..].fill(choices.arbitrary()?),
        2 => signature.rotate_left(half),
        3 => signature.resize(choices.int_in_range(0..=2 * half + 8)?, 0),
        4 => choices.fill_buffer(signature)?,
        _ => {
            let bit = choices.choose_index(8 * signature.len())?;
            signature[bit / 8] ^= 1 << (bit % 8);
        }
    }
    Ok(())
}

/// Changes a character or the length.
fn spoil_text(mut token: String, choices: &mut Unstructured<'_>) -> Result<String> {
    match choices.int_in_range(0..=3)? {
        0 => token.truncate(choices.choose_index(token.len())?),
        1 => token.push(*choices.choose(&['A', '.', '=', ' ', '\u{e9}'])?),
        _ => {
            let place = choices.choose_index(token.len())?;
            token.replace_range(place..=place, choices.choose(&["A", "B", "_", ".", "+"])?);
        }
    }
    Ok(token)
}
