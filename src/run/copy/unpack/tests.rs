use super::*;

/// One entry: path, kind, content or link target.
type Given<'a> = (&'a str, EntryType, &'a str);

fn archive(entries: &[Given<'_>]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, kind, text) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(if kind.is_dir() { 0o755 } else { 0o640 });
        header.set_mtime(1_000_000_000);
        // Written by hand: a builder refuses paths that lead out.
        let name = &mut header.as_old_mut().name;
        name[..path.len()].copy_from_slice(path.as_bytes());
        let content = match kind {
            EntryType::Symlink | EntryType::Link => {
                header
                    .set_link_name_literal(text)
                    .unwrap_or_else(|error| panic!("{error}"));
                ""
            }
            _ => text,
        };
        header.set_size(content.len() as u64);
        header.set_cksum();
        tar.append(&header, content.as_bytes())
            .unwrap_or_else(|error| panic!("{error}"));
    }
    tar.into_inner().unwrap_or_else(|error| panic!("{error}"))
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"))
}

fn run(entries: &[Given<'_>], base: &str, target: &Path) -> Result<(), String> {
    unpack(archive(entries).as_slice(), base, None, target).map_err(|error| error.message)
}

const TREE: [Given<'_>; 3] = [
    ("src/", EntryType::Directory, ""),
    ("src/a", EntryType::Regular, "1"),
    ("src/l", EntryType::Symlink, "a"),
];

#[test]
fn a_folder_goes_into_a_folder_or_becomes_a_new_one() {
    let folder = folder();
    assert_eq!(run(&TREE, "src", folder.path()), Ok(()));
    assert_eq!(run(&TREE, "src", &folder.path().join("new")), Ok(()));
    for name in ["src", "new"] {
        let text = fs::read_to_string(folder.path().join(name).join("l"));
        assert_eq!(text.ok().as_deref(), Some("1"), "{name}");
    }
    // Again, over what is there.
    assert_eq!(run(&TREE, "src", folder.path()), Ok(()));
}

#[test]
fn the_content_of_a_folder_has_no_name() {
    let folder = folder();
    let entries = [
        ("./", EntryType::Directory, ""),
        ("./a", EntryType::Regular, "1"),
    ];
    assert_eq!(run(&entries, ".", folder.path()), Ok(()));
    assert!(folder.path().join("a").exists());
    assert_eq!(run(&entries, ".", &folder.path().join("new")), Ok(()));
    assert!(folder.path().join("new/a").exists());
}

#[test]
#[cfg(unix)]
fn nothing_is_written_outside() {
    let folder = folder();
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).unwrap_or_else(|error| panic!("{error}"));
    let up = [("src/../../evil", EntryType::Regular, "1")];
    let through = [
        ("src/", EntryType::Directory, ""),
        ("src/out", EntryType::Symlink, "../.."),
        ("src/out/evil", EntryType::Regular, "1"),
    ];
    let linked = [
        ("src/", EntryType::Directory, ""),
        ("src/out", EntryType::Symlink, "../.."),
        ("src/hard", EntryType::Link, "src/out/secret"),
    ];
    fs::write(folder.path().join("secret"), "s").unwrap_or_else(|error| panic!("{error}"));
    for entries in [&up[..], &through[..], &linked[..]] {
        let refused = run(entries, "src", &inside);
        let told = refused.err().unwrap_or_default();
        assert!(told.contains("leads out of the target"), "{told}");
    }
    assert!(!folder.path().join("evil").exists());
    assert!(!inside.join("src/hard").exists());
}

#[test]
fn files_and_folders_do_not_replace_each_other() {
    let folder = folder();
    let file = folder.path().join("src");
    fs::write(&file, "1").unwrap_or_else(|error| panic!("{error}"));
    let told = run(&TREE, "src", folder.path()).err().unwrap_or_default();
    assert!(told.starts_with("cannot overwrite non-directory"), "{told}");
    let told = run(&TREE, "src", &file).err().unwrap_or_default();
    assert!(told.starts_with("cannot copy directory"), "{told}");
}

#[test]
fn targets_without_a_folder_are_refused_at_once() {
    let told = check("/nowhere/to/be").map_err(|error| error.message);
    let expected = "invalid output path: directory \"/nowhere/to\" does not exist";
    assert_eq!(told, Err(expected.to_owned()));
    assert!(check("/").is_ok());
}
