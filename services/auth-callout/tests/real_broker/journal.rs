//! What was logged at info and above, line by line.

use std::io::{self, Write};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing_subscriber::fmt::MakeWriter;

pub struct Journal(mpsc::UnboundedReceiver<String>);

impl Journal {
    /// From now on, for this process.
    pub fn keep() -> Self {
        let (lines, journal) = mpsc::unbounded_channel();
        tracing_subscriber::fmt().with_ansi(false).with_writer(Pen(lines)).init();
        Self(journal)
    }

    /// The next line about a sign-in.
    pub async fn next(&mut self) -> String {
        let line = async {
            loop {
                let line = self.0.recv().await.unwrap();
                if line.contains("sign-in is") {
                    return line;
                }
            }
        };
        timeout(Duration::from_secs(10), line).await.expect("something is logged")
    }
}

struct Pen(mpsc::UnboundedSender<String>);

impl<'a> MakeWriter<'a> for Pen {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

struct Line<'a>(&'a mpsc::UnboundedSender<String>);

impl Write for Line<'_> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        // One line a write; whoever reads may be gone.
        let _ = self.0.send(String::from_utf8_lossy(text).into_owned());
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
