//! Writing the tables, and reading back what they say of a chain.

use kez_database::Database;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter};

use super::snapshot::Snapshot;
use super::tables::{chains, claims, devices, positions};

/// Rows of one INSERT, below the number of parameters that SQLite takes.
const ROWS: usize = 500;

/// Brings the rows of these chains up to date, and notes that the stream was read up to `position`: all of it or nothing.
pub async fn write(database: &Database, snapshots: &[Snapshot], position: u64) -> Result<(), DbErr> {
    let transaction = database.begin().await?;
    for snapshot in snapshots {
        write_chain(&transaction, snapshot).await?;
    }
    let sequence = i64::try_from(position).unwrap_or(i64::MAX);
    let row = positions::ActiveModel { id: Set(positions::ONLY), sequence: Set(sequence) };
    let further = OnConflict::column(positions::Column::Id)
        .update_column(positions::Column::Sequence)
        .action_and_where(Expr::col((positions::Entity, positions::Column::Sequence)).lt(sequence))
        .to_owned();
    positions::Entity::insert(row).on_conflict(further).exec_without_returning(&transaction).await?;
    transaction.commit().await
}

/// Empties the tables, so that they are filled from the beginning of the stream.
pub async fn clear(database: &Database) -> Result<(), DbErr> {
    let transaction = database.begin().await?;
    positions::Entity::delete_many().exec(&transaction).await?;
    claims::Entity::delete_many().exec(&transaction).await?;
    devices::Entity::delete_many().exec(&transaction).await?;
    chains::Entity::delete_many().exec(&transaction).await?;
    transaction.commit().await
}

/// How many chains, claims and devices the tables hold.
pub async fn count(database: &Database) -> Result<(u64, u64, u64), DbErr> {
    let connection = database.connection();
    Ok((
        chains::Entity::find().count(connection).await?,
        claims::Entity::find().count(connection).await?,
        devices::Entity::find().count(connection).await?,
    ))
}

/// What the tables say of a chain.
pub async fn read(connection: &impl ConnectionTrait, primary: &str) -> Result<Option<Snapshot>, DbErr> {
    let Some(chain) = chains::Entity::find_by_id(primary.to_owned()).one(connection).await? else {
        return Ok(None);
    };
    let of_claims = claims::Entity::find().filter(claims::Column::Primary.eq(primary));
    let of_devices = devices::Entity::find().filter(devices::Column::Primary.eq(primary));
    Ok(Some(Snapshot {
        primary: chain.primary,
        length: chain.length,
        head: chain.head,
        successor: chain.successor,
        claims: of_claims.all(connection).await?.into_iter().map(|row| (row.subject, row.sequence)).collect(),
        devices: of_devices.all(connection).await?.into_iter().map(|row| (row.device, row.name)).collect(),
    }))
}

/// Replaces what the tables say of a chain, unless they know more already.
async fn write_chain(connection: &impl ConnectionTrait, now: &Snapshot) -> Result<(), DbErr> {
    let row = chains::ActiveModel {
        primary: Set(now.primary.clone()),
        length: Set(now.length),
        head: Set(now.head.clone()),
        successor: Set(now.successor.clone()),
    };
    let newer = OnConflict::column(chains::Column::Primary)
        .update_columns([chains::Column::Length, chains::Column::Head, chains::Column::Successor])
        .action_and_where(Expr::col((chains::Entity, chains::Column::Length)).lt(now.length))
        .to_owned();
    let insert = chains::Entity::insert(row).on_conflict(newer);
    if insert.exec_without_returning(connection).await? == 0 {
        return Ok(());
    }
    // Only now: whoever else writes this chain waits for the row above.
    let before = read(connection, &now.primary).await?;
    write_claims(connection, before.as_ref(), now).await?;
    write_devices(connection, before.as_ref(), now).await
}

async fn write_claims(
    connection: &impl ConnectionTrait,
    before: Option<&Snapshot>,
    now: &Snapshot,
) -> Result<(), DbErr> {
    let stays = |subject: &String, sequence: &i64| now.claims.get(subject) == Some(sequence);
    let gone: Vec<&str> = before
        .into_iter()
        .flat_map(|before| before.claims.iter())
        .filter(|(subject, sequence)| !stays(subject, sequence))
        .map(|(subject, _)| subject.as_str())
        .collect();
    for subjects in gone.chunks(ROWS) {
        claims::Entity::delete_many()
            .filter(claims::Column::Primary.eq(&now.primary))
            .filter(claims::Column::Subject.is_in(subjects.iter().copied()))
            .exec(connection)
            .await?;
    }
    let was = |subject: &String| before.and_then(|before| before.claims.get(subject));
    let new: Vec<_> = now
        .claims
        .iter()
        .filter(|(subject, sequence)| was(subject) != Some(sequence))
        .map(|(subject, sequence)| claims::ActiveModel {
            subject: Set(subject.clone()),
            primary: Set(now.primary.clone()),
            sequence: Set(*sequence),
        })
        .collect();
    for rows in new.chunks(ROWS) {
        claims::Entity::insert_many(rows.iter().cloned()).exec_without_returning(connection).await?;
    }
    Ok(())
}

async fn write_devices(
    connection: &impl ConnectionTrait,
    before: Option<&Snapshot>,
    now: &Snapshot,
) -> Result<(), DbErr> {
    if before.is_some_and(|before| before.devices == now.devices) {
        return Ok(());
    }
    devices::Entity::delete_many().filter(devices::Column::Primary.eq(&now.primary)).exec(connection).await?;
    let rows: Vec<_> = now
        .devices
        .iter()
        .map(|(device, name)| devices::ActiveModel {
            primary: Set(now.primary.clone()),
            device: Set(device.clone()),
            name: Set(name.clone()),
        })
        .collect();
    for rows in rows.chunks(ROWS) {
        devices::Entity::insert_many(rows.iter().cloned()).exec_without_returning(connection).await?;
    }
    Ok(())
}
