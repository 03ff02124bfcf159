//! `kez register`: taking a handle.

use clap::Args;

use crate::failure::Failure;
use crate::identity::IdentityArgs;
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
    identity: IdentityArgs,

    #[command(flatten)]
    server: ServerArgs,

    #[command(flatten)]
    pub output: Output,
}

pub async fn run(args: RegisterArgs) -> Result<(), Failure> {
    let identity = args.identity.open()?;
    let client = args.server.connect(&identity.key).await?;
    let registered = client.register(&args.handle).await?;
    args.output.item(&registered, || {
        let fqhn = &registered.record.fqhn;
        if registered.created { format!("You are {fqhn}.") } else { format!("You are {fqhn} already.") }
    })
}
