//! `alg`: ES256 in this spelling, whatever the signature is.

use super::NOT_A_TEXT;
use crate::case::{Case, Family};
use crate::json::quoted;
use crate::key::{Key, SIGNER_KID, hmac};
use crate::token::Token;

pub(super) fn algorithm(family: &mut Family) {
    let source = "RFC 8725 3.1";
    let mut refuse = |name: String, reason: &str, token: Token| {
        family.add(
            Case::new(name, source, reason)
                .token(token)
                .refused("alg_not_allowed"),
        );
    };
    refuse(
        "alg-missing".into(),
        "A header must name its algorithm.",
        Token::valid().without_header("alg"),
    );
    for (kind, value) in NOT_A_TEXT {
        refuse(
            format!("alg-{kind}"),
            "The algorithm is a string.",
            Token::valid().header("alg", value),
        );
    }
    let others = [
        "none", "HS256", "HS384", "HS512", "RS256", "RS512", "PS256", "ES384", "ES512", "ES256K", "EdDSA",
        "Ed25519", "ESP256", "SM2", "dir",
    ];
    for alg in others {
        let name = format!("alg-is-{}", alg.to_lowercase());
        refuse(
            name,
            "ES256 is the only algorithm, whatever the signature is.",
            Token::valid().header("alg", quoted(alg)),
        );
    }
    let spellings = [
        ("none-in-title-case", "None"),
        ("none-in-upper-case", "NONE"),
        ("none-in-mixed-case", "nOnE"),
        ("lower-case", "es256"),
        ("mixed-case", "Es256"),
        ("empty", ""),
        ("leading-space", " ES256"),
        ("trailing-space", "ES256 "),
        ("trailing-nul", "ES256\0"),
        ("trailing-newline", "ES256\n"),
        ("full-width", "\u{ff25}\u{ff33}\u{ff12}\u{ff15}\u{ff16}"),
        ("cyrillic", "E\u{405}256"),
        ("list", "ES256,none"),
        ("object-identifier", "1.2.840.10045.4.3.2"),
    ];
    for (kind, alg) in spellings {
        let name = format!("alg-spelled-{kind}");
        refuse(
            name,
            "Algorithm names are compared byte for byte.",
            Token::valid().header("alg", quoted(alg)),
        );
    }
}

/// Tokens that would verify if the header chose the algorithm.
pub(super) fn confusion(family: &mut Family) {
    let unsecured = Token::valid().header("alg", quoted("none"));
    let reason = "An unsecured token with bytes where its signature should be.";
    family.add(
        Case::new("alg-none-with-one-byte-signature", "CVE-2015-9235", reason)
            .token(unsecured.with_signature([0]))
            .refused("alg_not_allowed"),
    );
    let symmetric = Token::valid().header("alg", quoted("HS256"));
    let jwk = Key::signer().jwk(SIGNER_KID).to_string().into_bytes();
    let secrets = [
        ("alg-hs256-keyed-with-the-jwk", jwk),
        ("alg-hs256-keyed-with-the-point", Key::signer().point().to_vec()),
        ("alg-hs256-keyed-with-nothing", Vec::new()),
    ];
    for (name, secret) in secrets {
        let reason = "A correct HMAC under a secret that everybody knows.";
        family.add(
            Case::new(name, "CVE-2022-29217", reason)
                .token(symmetric.with_signature(hmac(&secret, &symmetric.signing_input())))
                .refused("alg_not_allowed"),
        );
    }
    let relabelled = Token::valid();
    let mac = hmac(&Key::signer().point(), &relabelled.signing_input());
    let reason = "An HMAC has 32 bytes and is no ES256 signature, whatever the header says.";
    family.add(
        Case::new("hmac-labelled-es256", "RFC 8725 3.1", reason)
            .token(relabelled.with_signature(mac))
            .refused("bad_signature"),
    );
}
