use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use tar::{Builder, EntryType, Header};

use super::*;

/// An archive made entry by entry, with names as bytes so that evil ones are possible.
#[derive(Default)]
struct Made(Vec<u8>);

impl Made {
    fn entry(mut self, kind: EntryType, name: &str, link: &str, data: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(if kind.is_dir() { 0o755 } else { 0o644 });
        header.set_uid(u64::from(rustix::process::geteuid().as_raw()));
        header.set_gid(u64::from(rustix::process::getegid().as_raw()));
        header.set_mtime(1_000_000);
        header.set_size(data.len() as u64);
        header.set_link_name_literal(link).unwrap();
        header.set_cksum();
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(self, name: &str, data: &str) -> Self {
        self.entry(EntryType::Regular, name, "", data.as_bytes())
    }

    fn folder(self, name: &str) -> Self {
        self.entry(EntryType::Directory, name, "", b"")
    }

    fn into(self, folder: &Path) -> io::Result<u64> {
        self.with(folder, Unpack::default())
    }

    fn with(self, folder: &Path, options: Unpack) -> io::Result<u64> {
        unpack(&Root::open(folder).unwrap(), self.0.as_slice(), options)
    }
}

fn needs_root() {
    assert!(rustix::process::geteuid().is_root(), "this test needs root");
}

#[test]
fn files_folders_and_links_are_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let size = Made::default()
        .folder("a/")
        .file("a/b", "text")
        .entry(EntryType::Link, "c", "a/b", b"")
        .entry(EntryType::Symlink, "d", "a/b", b"")
        .file("missing/above/e", "12")
        .into(folder.path())
        .unwrap();
    assert_eq!(size, 6);
    let at = |name: &str| folder.path().join(name);
    assert_eq!(fs::read(at("d")).unwrap(), b"text");
    assert_eq!(
        fs::metadata(at("c")).unwrap().ino(),
        fs::metadata(at("a/b")).unwrap().ino()
    );
    assert_eq!(fs::metadata(at("a/b")).unwrap().mtime(), 1_000_000);
    assert_eq!(fs::metadata(at("a")).unwrap().mtime(), 1_000_000);
    assert_eq!(
        fs::metadata(at("a/b")).unwrap().permissions().mode() & 0o7777,
        0o644
    );
    assert_eq!(
        fs::metadata(at("missing/above"))
            .unwrap()
            .permissions()
            .mode()
            & 0o7777,
        0o755
    );
}

#[test]
fn nothing_leads_out_of_the_root() {
    let outside = tempfile::tempdir().unwrap();
    let outer = outside.path().to_str().unwrap();
    for made in [
        Made::default().file("../evil", "x"),
        Made::default().file("a/../../evil", "x"),
        Made::default().entry(EntryType::Link, "passwd", "../../../../etc/passwd", b""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        assert!(made.into(folder.path()).is_err());
    }
    // Absolute names and links are taken from the root on.
    let folder = tempfile::tempdir().unwrap();
    Made::default()
        .file("/absolute", "x")
        .entry(EntryType::Symlink, "link", "/inside", b"")
        .folder("inside")
        .file("link/file", "x")
        .into(folder.path())
        .unwrap();
    assert!(folder.path().join("absolute").exists());
    assert!(folder.path().join("inside/file").exists());
    for target in [outer, "../../../../../../../../../../tmp"] {
        let folder = tempfile::tempdir().unwrap();
        let made = Made::default()
            .entry(EntryType::Symlink, "link", target, b"")
            .file("link/rcimages-evil", "x");
        assert!(made.into(folder.path()).is_err());
        assert!(!Path::new("/tmp/rcimages-evil").exists());
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_file_in_place_of_a_link_does_not_follow_it() {
    let folder = tempfile::tempdir().unwrap();
    let victim = tempfile::NamedTempFile::new().unwrap();
    symlink(victim.path(), folder.path().join("link")).unwrap();
    Made::default()
        .file("link", "new")
        .into(folder.path())
        .unwrap();
    assert_eq!(fs::read(victim.path()).unwrap(), b"");
    assert_eq!(fs::read(folder.path().join("link")).unwrap(), b"new");
}

#[test]
fn folders_and_files_keep_their_kind_when_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("a")).unwrap();
    let options = Unpack {
        keep_kinds: true,
        ..Unpack::default()
    };
    let error = Made::default()
        .file("a", "x")
        .with(folder.path(), options)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("cannot overwrite directory with non-directory")
    );
    Made::default().file("a", "x").into(folder.path()).unwrap();
    assert!(folder.path().join("a").is_file());
}

fn layer() -> Unpack {
    Unpack {
        whiteouts: Whiteouts::Overlay,
        ..Unpack::default()
    }
}

#[test]
fn whiteouts_become_overlays_and_come_back() {
    needs_root();
    let folder = tempfile::tempdir().unwrap();
    Made::default()
        .folder("a")
        .file("a/.wh.gone", "")
        .folder("b")
        .file("b/.wh..wh..opq", "")
        .file("b/.wh..wh.plnk", "")
        .file(".wh.c", "")
        .folder("c")
        .file("c/new", "x")
        .with(folder.path(), layer())
        .unwrap();
    let gone = fs::symlink_metadata(folder.path().join("a/gone")).unwrap();
    assert_eq!((gone.mode() & libc_format(), gone.rdev()), (0o020_000, 0));
    let opaque = |name: &str| {
        let mut value = [0_u8; 4];
        let path = folder.path().join(name);
        rustix::fs::lgetxattr(path, "trusted.overlay.opaque", &mut value[..])
            .map(|count| count == 1)
    };
    assert_eq!(opaque("b"), Ok(true));
    assert_eq!(opaque("c"), Ok(true), "hidden and made anew in one layer");
    assert!(opaque("a").is_err());
    let mut packed = Vec::new();
    let mut builder = Builder::new(&mut packed);
    let root = Root::open(folder.path()).unwrap();
    let options = Pack {
        overlay: true,
        ..Pack::default()
    };
    pack(
        &mut builder,
        root.fd(),
        OsStr::new("."),
        Path::new(""),
        options,
    )
    .unwrap();
    builder.into_inner().unwrap();
    let mut archive = tar::Archive::new(packed.as_slice());
    let names: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(
        names,
        [
            "a/",
            "a/.wh.gone",
            "b/",
            "b/.wh..wh..opq",
            "c/",
            "c/.wh..wh..opq",
            "c/new"
        ]
    );
}

fn libc_format() -> u32 {
    0o170_000
}

#[test]
fn owners_modes_devices_and_attributes_come_through() {
    needs_root();
    let source = tempfile::tempdir().unwrap();
    let at = |name: &str| source.path().join(name);
    fs::write(at("program"), "x").unwrap();
    std::os::unix::fs::chown(at("program"), Some(7), Some(8)).unwrap();
    fs::set_permissions(at("program"), fs::Permissions::from_mode(0o4755)).unwrap();
    let flags = rustix::fs::XattrFlags::empty();
    let has_attributes = rustix::fs::lsetxattr(at("program"), "user.note", b"hello", flags).is_ok();
    fs::hard_link(at("program"), at("second")).unwrap();
    let root = Root::open(source.path()).unwrap();
    let device = rustix::fs::makedev(1, 3);
    let mode = rustix::fs::Mode::from_raw_mode(0o666);
    rustix::fs::mknodat(
        root.fd(),
        "null",
        rustix::fs::FileType::CharacterDevice,
        mode,
        device,
    )
    .unwrap();
    let long = "l".repeat(120);
    symlink(&long, at("long")).unwrap();

    let mut packed = Vec::new();
    let mut builder = Builder::new(&mut packed);
    pack(
        &mut builder,
        root.fd(),
        OsStr::new("."),
        Path::new(""),
        Pack::default(),
    )
    .unwrap();
    builder.into_inner().unwrap();
    let target = tempfile::tempdir().unwrap();
    unpack(
        &Root::open(target.path()).unwrap(),
        packed.as_slice(),
        Unpack::default(),
    )
    .unwrap();

    let to = |name: &str| target.path().join(name);
    let program = fs::metadata(to("program")).unwrap();
    assert_eq!(
        (program.uid(), program.gid(), program.mode() & 0o7777),
        (7, 8, 0o4755)
    );
    assert_eq!(program.ino(), fs::metadata(to("second")).unwrap().ino());
    assert_eq!(fs::metadata(to("null")).unwrap().rdev(), device);
    assert_eq!(fs::read_link(to("long")).unwrap(), Path::new(&long));
    if has_attributes {
        let mut value = [0_u8; 16];
        let count = rustix::fs::lgetxattr(to("program"), "user.note", &mut value[..]).unwrap();
        assert_eq!(&value[..count], b"hello");
    }
}

#[test]
fn nobody_sets_the_attributes_of_overlay() {
    needs_root();
    let mut packed = Vec::new();
    let mut builder = Builder::new(&mut packed);
    let attribute = ("SCHILY.xattr.trusted.overlay.redirect", b"/etc".as_slice());
    builder.append_pax_extensions([attribute]).unwrap();
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Directory);
    header.set_mode(0o755);
    header.set_size(0);
    builder.append_data(&mut header, "a", io::empty()).unwrap();
    builder.into_inner().unwrap();
    let folder = tempfile::tempdir().unwrap();
    unpack(
        &Root::open(folder.path()).unwrap(),
        packed.as_slice(),
        layer(),
    )
    .unwrap();
    let mut value = [0_u8; 16];
    let path = folder.path().join("a");
    assert!(rustix::fs::lgetxattr(path, "trusted.overlay.redirect", &mut value[..]).is_err());
}

#[test]
fn compressions_are_recognised() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"hello").unwrap();
    let zstd = zstd::encode_all(b"hello".as_slice(), 1).unwrap();
    let xz =
        b"\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2f\
        \xe5\xa3\x01\x00\x04\x68\x65\x6c\x6c\x6f\x00\x00\x00\x00\xb1\x37\xb9\xdb\xe5\xda\x1e\x9b\
        \x00\x01\x1d\x05\xb8\x2d\x80\xaf\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a";
    let bzip2 =
        b"\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x19\x31\x65\x3d\x00\x00\x00\x81\x00\x02\x44\xa0\
        \x00\x21\x9a\x68\x33\x4d\x07\x33\x8b\xb9\x22\x9c\x28\x48\x0c\x98\xb2\x9e\x80";
    let gzip = gzip.finish().unwrap();
    for data in [&gzip, &zstd, xz.as_slice(), bzip2.as_slice(), b"hello"] {
        let mut text = String::new();
        decompress(data).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
    }
    assert_eq!(
        decompress(b"".as_slice()).unwrap().read(&mut [0]).unwrap(),
        0
    );
}

#[test]
fn removing_does_not_follow_links() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("kept"), "").unwrap();
    fs::create_dir_all(folder.path().join("a/b")).unwrap();
    symlink(outside.path(), folder.path().join("a/b/link")).unwrap();
    remove_all(Root::open(folder.path()).unwrap().fd(), OsStr::new("a")).unwrap();
    assert!(!folder.path().join("a").exists());
    assert!(outside.path().join("kept").exists());
}

#[test]
fn an_archive_may_end_with_its_last_byte_of_data() {
    let mut builder = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(600);
    header.set_mode(0o644);
    builder
        .append_data(&mut header, "file", [b'x'; 600].as_slice())
        .unwrap();
    let whole = builder.into_inner().unwrap();
    let unpacked = |length: usize| {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        unpack(&root, &whole[..length], Unpack::default())
    };
    assert_eq!(unpacked(512 + 600).unwrap(), 600);
    assert!(unpacked(512 + 599).is_err());
    assert!(unpacked(512 + 10).is_err());
}
