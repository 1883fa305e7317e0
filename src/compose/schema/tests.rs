//! The file is current, and says of every file what the decoders say.

mod agreement;
mod verdict;

use std::fs;
use std::path::PathBuf;

use super::text;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schemas/compose.schema.json")
}

/// With `INSTA_UPDATE=always` the file is written anew.
#[test]
fn the_file_is_current() {
    let wanted = text();
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(file(), &wanted).unwrap();
    }
    let found = fs::read_to_string(file()).unwrap_or_default();
    assert!(
        found == wanted,
        "schemas/compose.schema.json is stale: run the tests with INSTA_UPDATE=always"
    );
}

#[test]
fn the_schema_is_a_schema() {
    assert!(jsonschema::draft7::meta::validate(&super::schema()).is_ok());
}
