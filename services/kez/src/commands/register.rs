//! `kez register`: taking a handle.

use clap::Args;
use kez_crypto::Handle;

use crate::chains::Memory;
use crate::failure::Failure;
use crate::identity::IdentityArgs;
use crate::mail::refusal;
use crate::output::Output;
use crate::server::ServerArgs;

/// Take a handle at the server
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  kez register alice\n  kez register bob --identity bob.json\n  kez register alice --server-url https://kez.lat"
)]
pub struct RegisterArgs {
    /// 3 to 32 characters of a-z 0-9 _ -, the first a letter or digit
    handle: String,

    #[command(flatten)]
    pub output: Output,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    server: ServerArgs,
}

pub async fn run(args: RegisterArgs) -> Result<(), Failure> {
    Handle::parse(&args.handle).map_err(|fault| Failure::argument(refusal(fault)))?;
    let identity = args.identity.open()?;
    identity.itself("register")?;
    let client = args.server.connect(&identity.speaker(), &Memory::default()).await?;
    let registered = client.register(&args.handle).await?;
    args.output.item(&registered, || {
        let fqhn = &registered.record.fqhn;
        if registered.created { format!("You are {fqhn}.") } else { format!("You are {fqhn} already.") }
    })
}
