//! Writing the tables, and reading back what they say of a chain.

use std::collections::{BTreeMap, BTreeSet};

use kez_database::Database;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter};

use super::snapshot::Snapshot;
use super::tables::{chains, claims, devices, positions};

/// Rows of one INSERT, below the number of parameters that SQLite takes.
const ROWS: usize = 500;

/// Brings the rows of these chains up to date, and notes that the stream was read up to `position`: all of it or nothing.
/// No chain is there twice.
pub async fn write(database: &Database, snapshots: &[Snapshot], position: u64) -> Result<(), DbErr> {
    let transaction = database.begin().await?;
    for snapshots in snapshots.chunks(ROWS) {
        write_chains(&transaction, snapshots).await?;
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
    let Rows { claims, devices } = rows(connection, [primary]).await?.remove(primary).unwrap_or_default();
    let chains::Model { primary, length, head, successor } = chain;
    Ok(Some(Snapshot { primary, length, head, successor, claims, devices }))
}

/// What hangs from a chain's row.
#[derive(Default)]
struct Rows {
    claims: BTreeMap<String, i64>,
    devices: BTreeMap<String, String>,
}

/// The rows that hang from those of these chains, at most [`ROWS`] of them; none for a chain that has none.
async fn rows<'a>(
    connection: &impl ConnectionTrait,
    primaries: impl IntoIterator<Item = &'a str> + Clone,
) -> Result<BTreeMap<String, Rows>, DbErr> {
    let mut rows: BTreeMap<String, Rows> = BTreeMap::new();
    let of_claims = claims::Entity::find().filter(claims::Column::Primary.is_in(primaries.clone()));
    for claim in of_claims.all(connection).await? {
        rows.entry(claim.primary).or_default().claims.insert(claim.subject, claim.sequence);
    }
    let of_devices = devices::Entity::find().filter(devices::Column::Primary.is_in(primaries));
    for device in of_devices.all(connection).await? {
        rows.entry(device.primary).or_default().devices.insert(device.device, device.name);
    }
    Ok(rows)
}

/// Replaces what the tables say of these chains, except where they know more already. In few statements, however many chains
/// there are: one each would cost more than all else that an append costs.
async fn write_chains(connection: &impl ConnectionTrait, snapshots: &[Snapshot]) -> Result<(), DbErr> {
    let lengthened = lengthen(connection, snapshots).await?;
    let now: Vec<&Snapshot> =
        snapshots.iter().filter(|snapshot| lengthened.contains(&snapshot.primary)).collect();
    // Only now: whoever else writes these chains waits for the rows above.
    let before = rows(connection, now.iter().map(|now| now.primary.as_str())).await?;
    let none = Rows::default();
    let (mut new_claims, mut new_devices) = (Vec::new(), Vec::new());
    for now in now {
        let before = before.get(&now.primary).unwrap_or(&none);
        new_claims.extend(write_claims(connection, before, now).await?);
        new_devices.extend(write_devices(connection, before, now).await?);
    }
    for rows in new_claims.chunks(ROWS) {
        claims::Entity::insert_many(rows.iter().cloned()).exec_without_returning(connection).await?;
    }
    for rows in new_devices.chunks(ROWS) {
        devices::Entity::insert_many(rows.iter().cloned()).exec_without_returning(connection).await?;
    }
    Ok(())
}

/// Writes the chains' own rows, and answers whose there was less of.
async fn lengthen(
    connection: &impl ConnectionTrait,
    snapshots: &[Snapshot],
) -> Result<BTreeSet<String>, DbErr> {
    let rows = snapshots.iter().map(|now| chains::ActiveModel {
        primary: Set(now.primary.clone()),
        length: Set(now.length),
        head: Set(now.head.clone()),
        successor: Set(now.successor.clone()),
    });
    let length = |table: &'static str| Expr::col((table, chains::Column::Length));
    let newer = OnConflict::column(chains::Column::Primary)
        .update_columns([chains::Column::Length, chains::Column::Head, chains::Column::Successor])
        .action_and_where(length("sigchain_chains").lt(length("excluded")))
        .to_owned();
    let insert = chains::Entity::insert_many(rows).on_conflict(newer);
    Ok(insert.exec_with_returning_keys(connection).await?.into_iter().collect())
}

/// Deletes the claims of a chain that are no more, and answers those that are new.
async fn write_claims(
    connection: &impl ConnectionTrait,
    before: &Rows,
    now: &Snapshot,
) -> Result<Vec<claims::ActiveModel>, DbErr> {
    let gone = before.claims.iter().filter(|(subject, sequence)| now.claims.get(*subject) != Some(*sequence));
    let gone: Vec<&str> = gone.map(|(subject, _)| subject.as_str()).collect();
    for subjects in gone.chunks(ROWS) {
        claims::Entity::delete_many()
            .filter(claims::Column::Primary.eq(&now.primary))
            .filter(claims::Column::Subject.is_in(subjects.iter().copied()))
            .exec(connection)
            .await?;
    }
    let new = now.claims.iter().filter(|(subject, sequence)| before.claims.get(*subject) != Some(*sequence));
    let row = |(subject, sequence): (&String, &i64)| claims::ActiveModel {
        subject: Set(subject.clone()),
        primary: Set(now.primary.clone()),
        sequence: Set(*sequence),
    };
    Ok(new.map(row).collect())
}

/// Deletes the devices of a chain if they are others now, and answers those that there are then.
async fn write_devices(
    connection: &impl ConnectionTrait,
    before: &Rows,
    now: &Snapshot,
) -> Result<Vec<devices::ActiveModel>, DbErr> {
    if before.devices == now.devices {
        return Ok(Vec::new());
    }
    if !before.devices.is_empty() {
        let gone = devices::Entity::delete_many().filter(devices::Column::Primary.eq(&now.primary));
        gone.exec(connection).await?;
    }
    let row = |(device, name): (&String, &String)| devices::ActiveModel {
        primary: Set(now.primary.clone()),
        device: Set(device.clone()),
        name: Set(name.clone()),
    };
    Ok(now.devices.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::Migrator;

    fn snapshot(primary: &str, length: i64, claims: &[(&str, i64)], devices: &[(&str, &str)]) -> Snapshot {
        Snapshot {
            primary: primary.into(),
            length,
            head: format!("head {length}"),
            successor: (length > 8).then(|| "somebody".into()),
            claims: claims.iter().map(|(subject, sequence)| ((*subject).into(), *sequence)).collect(),
            devices: devices.iter().map(|(device, name)| ((*device).into(), (*name).into())).collect(),
        }
    }

    async fn database(folder: &tempfile::TempDir) -> Database {
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("it.db").display());
        Database::open::<Migrator>(&url, "sigchain").await.unwrap()
    }

    async fn stands(database: &Database, primary: &str) -> Snapshot {
        read(database.connection(), primary).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn each_chain_is_brought_up_to_date_and_none_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(&folder).await;
        let first = [
            snapshot("a", 3, &[("github:x", 1), ("dns:x", 2)], &[("phone", "old")]),
            snapshot("b", 9, &[("github:x", 4)], &[("laptop", "b's")]),
        ];
        write(&database, &first, 10).await.unwrap();
        // Of a the tables know less, of b more, of c as much, and of d nothing.
        let c = snapshot("c", 1, &[("github:x", 11)], &[]);
        write(&database, std::slice::from_ref(&c), 11).await.unwrap();
        let second = [
            snapshot("a", 6, &[("github:x", 12), ("dns:y", 13)], &[("phone", "new"), ("desk", "a's")]),
            snapshot("b", 8, &[("dns:of-before", 3)], &[]),
            snapshot("c", 1, &[("dns:another", 11)], &[("forged", "c's")]),
            snapshot("d", 1, &[], &[("phone", "d's")]),
        ];
        write(&database, &second, 14).await.unwrap();

        assert_eq!(stands(&database, "a").await, second[0]);
        assert_eq!(stands(&database, "b").await, first[1]);
        assert_eq!(stands(&database, "c").await, c);
        assert_eq!(stands(&database, "d").await, second[3]);
        assert_eq!(count(&database).await.unwrap(), (4, 4, 4));
        assert_eq!(read(database.connection(), "e").await.unwrap(), None);
    }

    #[tokio::test]
    async fn more_chains_than_one_statement_takes_are_written_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(&folder).await;
        let chains = |length: i64| -> Vec<Snapshot> {
            let claims = [("github:x", length), ("dns:x", 1)];
            (0..1100)
                .map(|number| snapshot(&format!("{number:04}"), length, &claims, &[("phone", "mine")]))
                .collect()
        };
        for length in [1, 2] {
            write(&database, &chains(length), 5).await.unwrap();
            assert_eq!(count(&database).await.unwrap(), (1100, 2200, 1100));
        }
        for expected in chains(2).iter().step_by(99) {
            assert_eq!(stands(&database, &expected.primary).await, *expected);
        }
    }
}
