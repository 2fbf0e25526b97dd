//! Writes what the fuzzer starts from, into `target/fuzz/corpus`: the corpus of `contract/tokens`, in the form that each
//! target reads, and for reply headers the lines below.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use torii_fuzz::{SIGNED, TEXT};
use torii_oracle::base64url;

const RETRY_AFTER: [&str; 14] = [
    "Retry-After: 0",
    "Retry-After: 120",
    "Retry-After: 99999999999999999999",
    "Retry-After: -5",
    "Retry-After: 1.5",
    "Retry-After: 1e999",
    "Retry-After: 2\nRetry-After: 30",
    "Retry-After: abc\nRetry-After: 7",
    "Retry-After: Wed, 21 Oct 2099 07:28:00 GMT",
    "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\nDate: Wed, 21 Oct 2015 07:27:00 GMT",
    "Retry-After: Wednesday, 21-Oct-15 07:28:00 GMT\nDate: Wed Oct 21 07:27:00 2015",
    "Retry-After: Thu, 29 Feb 2024 23:59:59 GMT\nDate: Wednesday, 28-Feb-24 23:59:59 GMT",
    "Retry-After: Sun Nov  6 08:49:37 1994\nDate: Sun, 06 Nov 1994 08:49:36 GMT",
    "Retry-After: Fri, 31 Dec 9999 23:59:60 GMT\nDate: x",
];

const CACHE_CONTROL: [&str; 14] = [
    "Cache-Control: max-age=300",
    "Cache-Control: public, Max-Age=\"300\", must-revalidate\nAge: 250",
    "Cache-Control: max-age=99999999999999999999\nAge: 18446744073709551615",
    "Cache-Control: max-age=60\nCache-Control: max-age=60",
    "Cache-Control: max-age=60\nCache-Control: max-age=61",
    "Cache-Control: no-store\nCache-Control: max-age=60",
    "Cache-Control: max-age=abc, no-cache",
    "Cache-Control: max-age=-1",
    "Cache-Control: max-age",
    "Cache-Control: max-age=\"\\3\\0\"",
    "Cache-Control: no-cache=\"set-cookie, x\", max-age=5",
    "Cache-Control: private=\"a, max-age=1\", max-age=5",
    "Cache-Control: ,, s-maxage=5 ,\tmax-age=6",
    "Cache-Control: max-age=60\nAge: 5, 6\nAge: 7",
];

fn main() -> io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let seeds = Seeds {
        folder: here.join("../target/fuzz/corpus"),
    };
    for file in here.join("../contract/tokens").read_dir()? {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "json") {
            let family = serde_json::from_slice::<Value>(&std::fs::read(&file)?)?;
            seeds.family(&file.file_stem().unwrap_or_default().to_string_lossy(), &family)?;
        }
    }
    for (number, lines) in RETRY_AFTER.iter().enumerate() {
        seeds.write("retry_after", &number.to_string(), lines.as_bytes())?;
    }
    for (number, lines) in CACHE_CONTROL.iter().enumerate() {
        seeds.write("cache_control", &number.to_string(), lines.as_bytes())?;
    }
    Ok(())
}

struct Seeds {
    folder: PathBuf,
}

impl Seeds {
    fn family(&self, family: &str, content: &Value) -> io::Result<()> {
        for (name, document) in content["keySets"].as_object().into_iter().flatten() {
            let document = [&[TEXT], text(document).as_bytes()].concat();
            self.write("key_set", &format!("{family}-{name}"), &document)?;
        }
        for case in content["cases"].as_array().into_iter().flatten() {
            let name = format!("{family}-{}", text(&case["name"]));
            if let Some(token) = case["token"].as_str() {
                self.write("token", &name, &[&[TEXT], token.as_bytes()].concat())?;
                if let Some(parts) = parts(token) {
                    self.write("token", &format!("{name}-signed"), &parts)?;
                }
            }
            if let Some(lines) = case["headers"].as_array() {
                let lines: Vec<_> = lines.iter().map(|line| field_line(line, case)).collect();
                self.write("authorization", &name, &lines.join(&b'\n'))?;
            }
        }
        Ok(())
    }

    fn write(&self, target: &str, name: &str, content: &[u8]) -> io::Result<()> {
        let folder = self.folder.join(target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(name), content)
    }
}

/// The header and the payload of a token that has them.
fn parts(token: &str) -> Option<Vec<u8>> {
    let mut segments = token.split('.').map(|segment| base64url(segment.as_bytes()));
    let (header, payload) = (segments.next()??, segments.next()??);
    Some([&[SIGNED], header.as_slice(), &[0xff], &payload].concat())
}

fn field_line(line: &Value, case: &Value) -> Vec<u8> {
    let (name, value) = (text(&line[0]), text(&line[1]));
    let value: Vec<u8> = match case["headersLatin1"] == true {
        true => value
            .chars()
            .filter_map(|c| u8::try_from(u32::from(c)).ok())
            .collect(),
        false => value.as_bytes().to_vec(),
    };
    [name.as_bytes(), b": ", &value].concat()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
