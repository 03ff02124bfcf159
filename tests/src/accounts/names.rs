//! A DNS server that says what a test has it say, one answer after the other.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{Metadata, ResponseCode};
use hickory_server::proto::rr::rdata::TXT;
use hickory_server::proto::rr::{RData, Record, RecordType};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

/// The name server, over UDP and TCP.
pub struct Names {
    address: SocketAddr,
    zone: Zone,
    /// Ends with this.
    _server: Server<Zone>,
}

/// What is said to one question.
#[derive(Debug, Clone)]
pub enum Reply {
    Records(Vec<RData>),
    /// The name is there, and holds nothing of this type.
    Nothing,
    /// SERVFAIL
    Fails,
    /// No answer, ever.
    Silent,
}

impl Reply {
    /// Addresses of a host.
    pub fn addresses(addresses: &[IpAddr]) -> Self {
        Self::Records(addresses.iter().copied().map(RData::from).collect())
    }

    /// Text records, each in its pieces.
    pub fn texts<Pieces: IntoIterator<Item = String>>(texts: impl IntoIterator<Item = Pieces>) -> Self {
        let records = texts.into_iter().map(|pieces| RData::TXT(TXT::new(pieces.into_iter().collect())));
        Self::Records(records.collect())
    }
}

impl Names {
    pub(super) async fn start() -> Self {
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let (address, zone) = (udp.local_addr().unwrap(), Zone::default());
        let mut server = Server::new(zone.clone());
        server.register_socket(udp);
        server.register_listener(tcp, Duration::from_secs(60), 64);
        Self { address, zone, _server: server }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is said of a name from now on; the last reply stays.
    pub fn set(&self, name: &str, record_type: RecordType, replies: impl IntoIterator<Item = Reply>) {
        let replies = replies.into_iter().collect();
        self.zone.replies.lock().unwrap().insert((name.to_owned(), record_type), replies);
    }

    /// How often it was asked for these records.
    pub fn asked(&self, name: &str, record_type: RecordType) -> usize {
        let asked = self.zone.asked.lock().unwrap();
        asked.iter().filter(|(of, which)| of == name && *which == record_type).count()
    }
}

type Question = (String, RecordType);

#[derive(Clone, Default)]
struct Zone {
    replies: Arc<Mutex<BTreeMap<Question, VecDeque<Reply>>>>,
    asked: Arc<Mutex<Vec<Question>>>,
}

impl Zone {
    /// What is said next; none when there is no such name.
    fn next(&self, question: &Question) -> Option<Reply> {
        self.asked.lock().unwrap().push(question.clone());
        let mut replies = self.replies.lock().unwrap();
        match replies.get_mut(question) {
            Some(said) if said.len() > 1 => said.pop_front(),
            Some(said) => said.front().cloned(),
            None => replies.keys().any(|(name, _)| *name == question.0).then_some(Reply::Nothing),
        }
    }
}

#[async_trait::async_trait]
impl RequestHandler for Zone {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut response: R,
    ) -> ResponseInfo {
        let query = request.request_info().unwrap().query.original().clone();
        let name = query.name().to_ascii().trim_end_matches('.').to_lowercase();
        let reply = self.next(&(name, query.query_type()));
        let builder = MessageResponseBuilder::new(&request.queries, request.edns.as_ref());
        let sent = match reply {
            Some(Reply::Silent) => std::future::pending().await,
            Some(Reply::Fails) => {
                response.send_response(builder.error_msg(&request.metadata, ResponseCode::ServFail)).await
            }
            None => {
                response.send_response(builder.error_msg(&request.metadata, ResponseCode::NXDomain)).await
            }
            Some(Reply::Nothing) => {
                let metadata = Metadata::response_from_request(&request.metadata);
                response.send_response(builder.build_no_records(metadata)).await
            }
            Some(Reply::Records(records)) => {
                let record = |data| Record::from_rdata(query.name().clone(), 60, data);
                let records: Vec<Record> = records.into_iter().map(record).collect();
                let metadata = Metadata::response_from_request(&request.metadata);
                response.send_response(builder.build(metadata, &records, [], [], [])).await
            }
        };
        sent.unwrap()
    }
}
