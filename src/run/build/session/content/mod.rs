//! The caches of a build that are folders here: the builder reads and writes their blobs by containerd's content service.

mod messages;
mod store;

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::{Stream, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::sync::mpsc;
use tonic::body::Body;
use tonic::codegen::http;
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use messages::{
    AbortRequest, Empty, Info, InfoRequest, InfoResponse, ReadContentRequest, ReadContentResponse,
    WriteAction, WriteContentRequest, WriteContentResponse,
};
pub(super) use store::Store;
use store::{Ingest, failed};

/// The calls that are answered, as the engine wants to be told.
pub(super) const METHODS: [&str; 4] = [
    "/containerd.services.content.v1.Content/Info",
    "/containerd.services.content.v1.Content/Read",
    "/containerd.services.content.v1.Content/Write",
    "/containerd.services.content.v1.Content/Abort",
];

/// Where a call says which of the folders it is about.
const STORE: &str = "buildkit-attachable-store-id";

/// Content is sent in pieces of so many bytes.
const PIECE: usize = 512 * 1024;

/// Answers on their way.
const ANSWERS: usize = 4;

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Folders with caches, keyed by what the builder calls them.
#[derive(Debug, Clone)]
pub(super) struct ContentServer(pub(super) Arc<HashMap<String, Store>>);

impl NamedService for ContentServer {
    const NAME: &'static str = "containerd.services.content.v1.Content";
}

impl tower::Service<http::Request<Body>> for ContentServer {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let stores = self.clone();
        Box::pin(async move { Ok(stores.answer(request).await) })
    }
}

impl ContentServer {
    async fn answer(self, request: http::Request<Body>) -> http::Response<Body> {
        let method = request.uri().path().rsplit('/').next().unwrap_or_default();
        match method {
            "Info" => {
                let call = tower::service_fn(|request| self.info(request));
                Grpc::new(ProstCodec::default()).unary(call, request).await
            }
            "Read" => {
                let call = tower::service_fn(|request| self.read(request));
                let mut grpc = Grpc::new(ProstCodec::default());
                grpc.server_streaming(call, request).await
            }
            "Write" => {
                let call = tower::service_fn(|request| std::future::ready(self.write(request)));
                let mut grpc = Grpc::new(ProstCodec::default())
                    .max_decoding_message_size(super::LARGEST_MESSAGE);
                grpc.streaming(call, request).await
            }
            "Abort" => {
                // What is not committed goes with its stream.
                let call = tower::service_fn(|_: Request<AbortRequest>| async {
                    Ok::<_, Status>(Response::new(Empty {}))
                });
                Grpc::new(ProstCodec::default()).unary(call, request).await
            }
            _ => Status::unimplemented("a cache is only read and written").into_http(),
        }
    }

    fn store<T>(&self, request: &Request<T>) -> Result<Store, Status> {
        let name = request.metadata().get(STORE);
        let name = name.and_then(|name| name.to_str().ok()).unwrap_or_default();
        let store = self.0.get(name).cloned();
        store.ok_or_else(|| Status::not_found(format!("unknown store {name}")))
    }

    async fn info(&self, request: Request<InfoRequest>) -> Result<Response<InfoResponse>, Status> {
        let store = self.store(&request)?;
        let digest = request.into_inner().digest;
        let path = store.blob(&digest)?;
        let metadata = tokio::fs::metadata(&path).await;
        let metadata = metadata.map_err(|error| failed(&path, &error))?;
        let size = i64::try_from(metadata.len()).unwrap_or(i64::MAX);
        let info = Some(Info { digest, size });
        Ok(Response::new(InfoResponse { info }))
    }

    async fn read(
        &self,
        request: Request<ReadContentRequest>,
    ) -> Result<Response<Answers<ReadContentResponse>>, Status> {
        let store = self.store(&request)?;
        let wish = request.into_inner();
        let path = store.blob(&wish.digest)?;
        let fails = |error: std::io::Error| failed(&path, &error);
        let mut file = tokio::fs::File::open(&path).await.map_err(fails)?;
        let mut offset = u64::try_from(wish.offset).unwrap_or(0);
        file.seek(std::io::SeekFrom::Start(offset))
            .await
            .map_err(fails)?;
        let count = u64::try_from(wish.size).unwrap_or(0);
        let file = file.take(if count == 0 { u64::MAX } else { count });
        let pieces = tokio_util::io::ReaderStream::with_capacity(file, PIECE);
        let pieces = pieces.map(move |piece| {
            let data = piece.map_err(|error| failed(&path, &error))?.to_vec();
            let answer = ReadContentResponse {
                offset: i64::try_from(offset).unwrap_or(i64::MAX),
                data,
            };
            offset += answer.data.len() as u64;
            Ok(answer)
        });
        Ok(Response::new(Box::pin(pieces)))
    }

    fn write(
        &self,
        request: Request<Streaming<WriteContentRequest>>,
    ) -> Result<Response<Answers<WriteContentResponse>>, Status> {
        let store = self.store(&request)?;
        let mut incoming = request.into_inner();
        let (sender, mut receiver) = mpsc::channel(ANSWERS);
        tokio::spawn(async move {
            if let Err(status) = take(&store, &mut incoming, &sender).await {
                // When nobody listens any more there is nobody to tell.
                let _ = sender.send(Err(status)).await;
            }
        });
        let answers = futures::stream::poll_fn(move |context| receiver.poll_recv(context));
        Ok(Response::new(Box::pin(answers)))
    }
}

/// Takes a blob in, piece by piece, and answers each.
async fn take(
    store: &Store,
    incoming: &mut Streaming<WriteContentRequest>,
    answers: &mpsc::Sender<Result<WriteContentResponse, Status>>,
) -> Result<(), Status> {
    let fails = |error: std::io::Error| failed(&store.0, &error);
    let mut ingest = store.ingest().map_err(fails)?;
    let (mut expected, mut total) = (String::new(), 0);
    while let Some(message) = incoming.message().await? {
        let action = message.action();
        if !message.expected.is_empty() {
            if store.blob(&message.expected)?.exists() {
                return Err(Status::already_exists(message.expected));
            }
            expected.clone_from(&message.expected);
        }
        total = message.total.max(total);
        let mut answer = WriteContentResponse {
            action: action.into(),
            total,
            ..WriteContentResponse::default()
        };
        if action != WriteAction::Stat {
            begin_at(&mut ingest, store, message.offset)?;
            ingest.write(&message.data).map_err(fails)?;
        }
        answer.offset = size_of(&ingest);
        if action == WriteAction::Commit {
            if total > 0 && total != answer.offset {
                let is = answer.offset;
                return Err(Status::failed_precondition(format!(
                    "{is} bytes of {total}"
                )));
            }
            answer.digest = ingest.commit(store, &expected)?;
            let _ = answers.send(Ok(answer)).await;
            return Ok(());
        }
        if answers.send(Ok(answer)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Has the next piece begin where it says: at the end of what is there, or at the beginning.
fn begin_at(ingest: &mut Ingest, store: &Store, offset: i64) -> Result<(), Status> {
    if offset == size_of(ingest) {
        return Ok(());
    }
    if offset != 0 {
        return Err(Status::out_of_range(format!(
            "{offset} is not where the {} bytes end",
            ingest.size()
        )));
    }
    *ingest = store.ingest().map_err(|error| failed(&store.0, &error))?;
    Ok(())
}

fn size_of(ingest: &Ingest) -> i64 {
    i64::try_from(ingest.size()).unwrap_or(i64::MAX)
}
