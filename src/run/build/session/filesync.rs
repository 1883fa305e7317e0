//! Local folders for the builder: it lists what it needs, and only what it does not have yet is
//! sent. The protocol is that of BuildKit's `fsutil`: all metadata first, then the content of the
//! files that are asked for.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::PathBuf;
use std::pin::Pin;

use bollard::fsutil::types::packet::PacketType;
use bollard::fsutil::types::{Packet, Stat};
use bollard::moby::filesync::packet::file_sync_server::FileSync;
use tokio::sync::mpsc;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use super::links::follow_links;
use crate::run::Error;
use crate::run::build::ignore::Ignore;
use crate::run::build::walk::{Entry, Filter, visit};
use crate::run::file_metadata::mode;

/// Content is sent in pieces of this size.
const PIECE: usize = 32 * 1024;

/// Packets on their way; more are not made before these are gone.
const PACKETS: usize = 256;

/// The folders of one build, keyed by the name the builder asks for.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    pub(super) by_name: HashMap<String, PathBuf>,
    /// Files that exist in no folder: name of the folder, name of the file, content.
    pub(super) made_up: HashMap<String, (String, Vec<u8>)>,
}

type Packets = mpsc::Sender<Result<Packet, Status>>;
type PacketStream = Pin<Box<dyn futures::Stream<Item = Result<Packet, Status>> + Send>>;

#[tonic::async_trait]
impl FileSync for Folders {
    type DiffCopyStream = PacketStream;
    type TarStreamStream = PacketStream;

    async fn diff_copy(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::DiffCopyStream>, Status> {
        let wish = Wish::read(request.metadata())?;
        let source = self.source(&wish)?;
        let incoming = request.into_inner();
        let (sender, mut receiver) = mpsc::channel(PACKETS);
        tokio::spawn(async move {
            if let Err(status) = serve(source, wish, incoming, &sender).await {
                // When nobody listens any more there is nobody to tell.
                let _ = sender.send(Err(status)).await;
            }
        });
        let stream = futures::stream::poll_fn(move |context| receiver.poll_recv(context));
        Ok(Response::new(Box::pin(stream)))
    }

    async fn tar_stream(
        &self,
        _request: Request<Streaming<Packet>>,
    ) -> Result<Response<Self::TarStreamStream>, Status> {
        Err(Status::unimplemented("folders are not sent as tar"))
    }
}

/// What the builder wants of a folder.
struct Wish {
    folder: String,
    include: Vec<String>,
    exclude: Vec<String>,
    follow: Vec<String>,
}

impl Wish {
    fn read(metadata: &MetadataMap) -> Result<Self, Status> {
        let all = |key: &str| -> Vec<String> {
            let encoded = metadata.contains_key(format!("{key}-encoded").as_str());
            metadata
                .get_all(key)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .map(|text| {
                    if encoded {
                        decode(text)
                    } else {
                        text.to_owned()
                    }
                })
                .collect()
        };
        let folder = all("dir-name").into_iter().next();
        Ok(Self {
            folder: folder.ok_or_else(|| Status::invalid_argument("no folder was named"))?,
            include: all("include-patterns"),
            exclude: all("exclude-patterns"),
            follow: all("followpaths"),
        })
    }
}

/// Takes `%41` apart.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = tail
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(hex.unwrap_or(first));
        rest = if hex.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where the content comes from.
enum Source {
    Folder(PathBuf),
    MadeUp(String, Vec<u8>),
}

impl Folders {
    fn source(&self, wish: &Wish) -> Result<Source, Status> {
        if let Some((name, content)) = self.made_up.get(&wish.folder) {
            return Ok(Source::MadeUp(name.clone(), content.clone()));
        }
        self.by_name
            .get(&wish.folder)
            .map(|path| Source::Folder(path.clone()))
            .ok_or_else(|| Status::not_found(format!("no access allowed to dir {:?}", wish.folder)))
    }
}

async fn serve(
    source: Source,
    wish: Wish,
    incoming: Streaming<Packet>,
    sender: &Packets,
) -> Result<(), Status> {
    let mut asked = drained(incoming);
    let files = match source {
        Source::Folder(root) => Files::List(list(root, wish, sender.clone()).await?),
        Source::MadeUp(name, content) => {
            let stat = Stat {
                path: name,
                mode: 0o644,
                size: content.len() as i64,
                mod_time: made_up_time(&content),
                ..Stat::default()
            };
            send(sender, packet(PacketType::PacketStat, Some(stat), 0, &[])).await?;
            Files::MadeUp(content)
        }
    };
    send(sender, packet(PacketType::PacketStat, None, 0, &[])).await?;
    // In a thread of its own: a context may have very many files, and each would be handed to one otherwise.
    let sender = sender.clone();
    let answering = tokio::task::spawn_blocking(move || answer(&files, &mut asked, &sender));
    answering
        .await
        .unwrap_or_else(|error| Err(Status::internal(error.to_string())))
}

/// Sends what is asked for until the builder has all. Blocks.
fn answer(
    files: &Files,
    asked: &mut mpsc::UnboundedReceiver<Result<Packet, Status>>,
    sender: &Packets,
) -> Result<(), Status> {
    let mut buffer = vec![0; PIECE];
    while let Some(asked) = asked.blocking_recv() {
        let asked = asked?;
        match PacketType::try_from(asked.r#type) {
            Ok(PacketType::PacketReq) => files.send(asked.id, &mut buffer, sender)?,
            Ok(PacketType::PacketFin) => {
                return send_now(sender, packet(PacketType::PacketFin, None, 0, &[]));
            }
            Ok(PacketType::PacketErr) => {
                let text = String::from_utf8_lossy(&asked.data).into_owned();
                return Err(Status::unknown(text));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Reads what the builder asks for as it comes, however slowly it takes our answers: many small requests that wait unread are
/// taken for an attack by the HTTP/2 below, which then ends the connection.
fn drained(mut incoming: Streaming<Packet>) -> mpsc::UnboundedReceiver<Result<Packet, Status>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let message = match incoming.message().await {
                Ok(Some(message)) => Ok(message),
                Ok(None) => return,
                Err(status) => Err(status),
            };
            let is_over = message.is_err();
            if sender.send(message).is_err() || is_over {
                return;
            }
        }
    });
    receiver
}

/// Sends the metadata of a folder; the files' places in the list are what they are asked by.
async fn list(root: PathBuf, wish: Wish, sender: Packets) -> Result<Vec<Option<PathBuf>>, Status> {
    let work = move || {
        let mut files = Vec::new();
        // Sent while the rest is being looked for.
        visit(&root, &filter(&root, &wish)?, &mut |entry| {
            let stat = stat(&entry).map_err(|error| {
                Error::new(format!("cannot read {}: {error}", entry.source.display()))
            })?;
            let packet = packet(PacketType::PacketStat, Some(stat), 0, &[]);
            let sent = sender.blocking_send(Ok(packet));
            sent.map_err(|_| Error::new("the builder is gone"))?;
            files.push(entry.metadata.is_file().then_some(entry.source));
            Ok(())
        })?;
        Ok(files)
    };
    let listed = tokio::task::spawn_blocking(work).await;
    let listed = listed.map_err(|error| Status::internal(error.to_string()))?;
    listed.map_err(|error: Error| Status::internal(error.message))
}

fn filter(root: &std::path::Path, wish: &Wish) -> Result<Filter, Error> {
    let mut include = wish.include.clone();
    let followed = follow_links(root, &wish.follow);
    // The folder itself among them means all of it.
    if followed.iter().any(|path| path == ".") {
        include.clear();
    } else {
        include.extend(followed);
    }
    let patterns = |list: &[String], name: &str| Ignore::parse(&list.join("\n"), name);
    Ok(Filter {
        include: if include.is_empty() {
            None
        } else {
            Some(patterns(&include, "wanted files")?)
        },
        exclude: patterns(&wish.exclude, ".dockerignore")?,
    })
}

/// Metadata as the builder takes it: everything belongs to root.
fn stat(entry: &Entry) -> std::io::Result<Stat> {
    const DIRECTORY: u32 = 1 << 31;
    const SYMLINK: u32 = 1 << 27;
    const NAMED_PIPE: u32 = 1 << 25;
    const SETUID: u32 = 1 << 23;
    const SETGID: u32 = 1 << 22;
    const STICKY: u32 = 1 << 20;
    let bits = mode(&entry.metadata);
    let mut go_mode = bits & 0o777;
    for (bit, flag) in [(0o4000, SETUID), (0o2000, SETGID), (0o1000, STICKY)] {
        if bits & bit != 0 {
            go_mode |= flag;
        }
    }
    let kind = entry.metadata.file_type();
    let mut linkname = String::new();
    let mut size = 0;
    if kind.is_dir() {
        go_mode |= DIRECTORY;
    } else if kind.is_symlink() {
        go_mode |= SYMLINK;
        let target = std::fs::read_link(&entry.source)?;
        linkname = target.to_string_lossy().into_owned();
    } else if kind.is_file() {
        size = entry.metadata.len() as i64;
    } else {
        go_mode |= NAMED_PIPE;
    }
    Ok(Stat {
        path: entry.path.clone(),
        mode: go_mode,
        size,
        mod_time: modified(entry),
        linkname,
        ..Stat::default()
    })
}

/// A time that other content does not have: the builder takes files of one name, size and time for the same.
fn made_up_time(content: &[u8]) -> i64 {
    let hash = <sha2::Sha256 as sha2::Digest>::digest(content);
    let bytes = hash.iter().take(7);
    bytes.fold(0, |time, byte| time << 8 | i64::from(*byte))
}

/// Nanoseconds since 1970.
fn modified(entry: &Entry) -> i64 {
    let time = entry.metadata.modified().ok();
    time.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_nanos()).ok())
        .unwrap_or(0)
}

/// What can be asked for.
enum Files {
    List(Vec<Option<PathBuf>>),
    MadeUp(Vec<u8>),
}

impl Files {
    fn send(&self, id: u32, buffer: &mut [u8], sender: &Packets) -> Result<(), Status> {
        match self {
            Self::MadeUp(content) => {
                for piece in content.chunks(PIECE) {
                    send_now(sender, packet(PacketType::PacketData, None, id, piece))?;
                }
            }
            Self::List(files) => {
                let path = files
                    .get(id as usize)
                    .and_then(Option::as_ref)
                    .ok_or_else(|| Status::invalid_argument(format!("no file number {id}")))?;
                send_file(path, id, buffer, sender)?;
            }
        }
        send_now(sender, packet(PacketType::PacketData, None, id, &[]))
    }
}

fn send_file(path: &PathBuf, id: u32, buffer: &mut [u8], sender: &Packets) -> Result<(), Status> {
    let failed = |error: std::io::Error| {
        Status::internal(format!("cannot read {}: {error}", path.display()))
    };
    let mut file = std::fs::File::open(path).map_err(failed)?;
    loop {
        let count = file.read(buffer).map_err(failed)?;
        if count == 0 {
            return Ok(());
        }
        let piece = &buffer[..count];
        send_now(sender, packet(PacketType::PacketData, None, id, piece))?;
    }
}

fn packet(kind: PacketType, stat: Option<Stat>, id: u32, data: &[u8]) -> Packet {
    Packet {
        r#type: kind.into(),
        stat,
        id,
        data: data.to_vec(),
    }
}

async fn send(sender: &Packets, packet: Packet) -> Result<(), Status> {
    sender
        .send(Ok(packet))
        .await
        .map_err(|_| Status::cancelled("the builder is gone"))
}

/// As [`send`], from a thread that may block.
fn send_now(sender: &Packets, packet: Packet) -> Result<(), Status> {
    sender
        .blocking_send(Ok(packet))
        .map_err(|_| Status::cancelled("the builder is gone"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_values_are_decoded() {
        assert_eq!(decode("a%20b%2Fc"), "a b/c");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz"), "%zz");
    }
}
