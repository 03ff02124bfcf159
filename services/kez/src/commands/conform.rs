//! `kez conform`: Kez held to anybody's test vectors.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::failure::{Exit, Failure};
use crate::visible;

/// Run the test vectors of a folder, by their file names, and print what fails
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  kez conform tests/vectors")]
pub struct ConformArgs {
    /// A folder of vectors: identities.json, sealed-messages.json …
    folder: PathBuf,
}

pub fn run(args: &ConformArgs) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout().lock();
    let (mut passed, mut failed) = (0, 0);
    for path in vector_files(&args.folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        let Some(report) = kez_crypto::conform::run(&name, &text) else {
            writeln!(out, "not run: {}", visible::line(&name))?;
            continue;
        };
        for failure in &report.failed {
            writeln!(out, "{}: {}", visible::line(&name), visible::line(failure))?;
        }
        passed += report.passed;
        failed += report.failed.len();
    }
    writeln!(out, "{passed} passed, {failed} failed")?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The JSON files of a folder, by name.
fn vector_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        if path.extension().is_some_and(|extension| extension == "json") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failed };
    Failure::new(exit, "failed", format!("cannot read {}: {error}", path.display()))
}
