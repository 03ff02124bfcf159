//! The other side: the web client's cryptography, built by its own build and run by Node.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::{env, fs};

use serde_json::Value;

pub struct TypeScript {
    process: Child,
    line: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
}

impl TypeScript {
    /// Builds and starts it; none without Node and the client's packages.
    pub fn start() -> Option<Self> {
        let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
        let vite = web.join("node_modules/vite/bin/vite.js");
        let has_node = Command::new("node").arg("--version").output().is_ok();
        if !has_node || !vite.is_file() {
            return None;
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("interop-{}", std::process::id()));
        let build = Command::new("node")
            .arg(vite)
            .args(["build", "--config", "interop/vite.config.ts", "--emptyOutDir", "--outDir"])
            .arg(&folder)
            .current_dir(&web)
            .output()
            .unwrap();
        assert!(build.status.success(), "the build: {}", String::from_utf8_lossy(&build.stderr));
        let mut node = Command::new("node");
        node.arg(folder.join("main.js")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = node.spawn().unwrap();
        let line = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let started = Self { process, line: RefCell::new(line) };
        // It has read its file once it answers.
        started.ask("json", serde_json::json!({ "text": "1" }));
        fs::remove_dir_all(folder).unwrap();
        Some(started)
    }

    /// Asks; the answer is `{"value": …}` or `{"fault": code}`.
    pub fn ask(&self, what: &str, mut given: Value) -> Value {
        let mut line = self.line.borrow_mut();
        let (to, from) = &mut *line;
        given.as_object_mut().unwrap().insert("ask".into(), what.into());
        writeln!(to, "{given}").unwrap();
        let mut answer = String::new();
        from.read_line(&mut answer).unwrap();
        assert!(!answer.is_empty(), "the other side broke over {given}");
        serde_json::from_str(&answer).unwrap()
    }

    /// Asks for something that is not refused.
    pub fn get(&self, what: &str, given: Value) -> Value {
        let mut answer = self.ask(what, given.clone());
        assert!(answer.get("value").is_some(), "{what} of {given}: {answer}");
        answer["value"].take()
    }

    /// Asks for a text that is not refused.
    pub fn get_text(&self, what: &str, given: Value) -> String {
        self.get(what, given).as_str().unwrap().to_owned()
    }
}

impl Drop for TypeScript {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
