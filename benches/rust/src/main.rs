//! The Rust side of the comparison. `benches/run.py` starts it; its protocol is in `measure.rs`.

mod actix;
mod adapters;
mod api;
mod inside;
mod load;
mod measure;
mod serve;
mod tonic;
mod verify;
mod world;

use std::error::Error;
use std::path::Path;

use world::World;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", folder, tokens] => serve::run(Path::new(folder), tokens.parse()?),
        ["verify", peer, folder] => measure::answer(verify::peer(peer, World::load(folder)?)?),
        ["inside", folder] => measure::answer(inside::Inside::new(World::load(folder)?)?),
        ["adapter", peer, folder] => measure::answer(adapters::peer(peer, World::load(folder)?)?),
        ["api", peer, folder] => measure::answer(api::peer(peer, World::load(folder)?)?),
        ["load", url, order, folder] => measure::answer(load::Load::new(url, order, World::load(folder)?)?),
        _ => Err(
            "serve FOLDER TOKENS | verify PEER FOLDER | inside FOLDER | api PEER FOLDER | adapter PEER FOLDER \
                  | load URL none|hot|cold FOLDER"
                .into(),
        ),
    }
}
