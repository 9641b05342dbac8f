//! `/inventory/hash/<serial>/` and `POST /inventory/submit/`: the applications on a machine.
//!
//! The client asks for the hash of what we have and sends its plist only when it is another. [`listing`] reads the
//! plist, [`plan`] compares it with the rows (sal-protocol §4).

mod lines;
mod listing;
mod plan;

use axum::Extension;
use axum::extract::{OriginalUri, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use sal_http::checkin_key::CheckinClient;
use sal_http::{App, AppError, db::machine_client, django};
use sal_store::changed::note_applications;
use sal_store::inventory::{
    ApplicationName, Changes, StoredInventory, hash_of_first, inventory_of, items_of, write,
};
use sal_store::machine_changes::write_changes;
use sal_store::serials::begin_with_machine;
use tracing::info;

use crate::journal::Note;
use crate::limits::Limits;
use crate::payload::{self, Payload, Unreadable};
use crate::{form, retry, serial, warnings};
use listing::Listing;

/// Tells the hash of the inventory we have; any method. `NOT FOUND` (200) where there is none.
pub(crate) async fn send_hash(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    client: Result<CheckinClient, AppError>,
) -> Result<Response, AppError> {
    let path = uri.path();
    let Some(path_to_serial) = path.strip_suffix('/') else {
        return Ok(django::append_slash(path, uri.query()));
    };
    let raw = path_to_serial
        .strip_prefix("/inventory/hash/")
        .ok_or(AppError::NotFound)?;
    client?;
    let serials = serial::candidates(&percent_decode_str(raw).decode_utf8_lossy());
    let db = machine_client(0, &app).await?;
    let known = hash_of_first(&db, &serials).await?.into_iter().next();
    let hash = known.and_then(|known| known.sha256hash);
    Ok(django::answer(
        StatusCode::OK,
        hash.unwrap_or_else(|| "NOT FOUND".to_owned()),
    ))
}

/// Takes an inventory. Answers 200 also when there was none, or none that can be read; then nothing changes.
pub(crate) async fn submit_inventory(
    State(app): State<App>,
    Extension(note): Extension<Note>,
    Extension(limits): Extension<Limits>,
    _client: CheckinClient,
    request: Request,
) -> Result<Response, AppError> {
    note.has_key();
    let form = form::read(&app, request).await?;
    let fields = &form.fields;
    let raw = form::required(fields, "serial")?;
    note.serial(raw);
    limits.machine(raw, &app)?;
    if raw.is_empty() {
        return Ok(nothing_submitted());
    }
    let payload = Payload::of(fields, "base64bz2inventory", "base64inventory");
    let was_sent = payload.is_some();
    let opened = match payload {
        Some(payload) => payload::open(&app, payload, Listing::read).await?,
        None => None,
    };
    let listing = opened.as_ref().and_then(|opened| opened.value.as_ref());
    let serials = serial::candidates(raw);
    let found = retry::until_undisturbed(|| store(&app, &serials, listing)).await?;
    if let Found::No = found {
        return Ok(serial::not_found());
    }
    if !was_sent {
        return Ok(nothing_submitted());
    }
    if let Some(listing) = listing {
        info!(machine.serial = %raw, items = listing.items.len(), "inventory of {raw} stored");
        warnings::report(&listing.warnings, raw, "inventory");
    } else {
        note.remark("the inventory cannot be read, and nothing was changed");
    }
    Ok(django::answer(
        StatusCode::OK,
        format!("Inventory submitted for {raw}.\n"),
    ))
}

/// The applications of a plist: name, bundle id, bundle name, version.
pub(crate) fn read(bytes: &[u8], limit_bytes: usize) -> Result<Vec<[String; 4]>, Unreadable> {
    let listing = Listing::read(bytes, limit_bytes)?;
    let items = listing.into_iter().flat_map(|listing| listing.items);
    Ok(items
        .map(|item| {
            let ApplicationName {
                name,
                bundleid,
                bundlename,
            } = item.application;
            [name, bundleid, bundlename, item.version]
        })
        .collect())
}

/// What the first inventory of a machine stores: its hash and its items. Nothing when the plist holds nothing.
pub(crate) fn first(
    bytes: &[u8],
    limit_bytes: usize,
) -> Result<Option<(String, Changes)>, Unreadable> {
    let listing = Listing::read(bytes, limit_bytes)?;
    Ok(listing.map(|listing| {
        let changes = plan::plan(&[], &listing);
        (listing.sha256hash, changes)
    }))
}

/// Whether the machine is there.
enum Found {
    Yes,
    No,
}

async fn store(
    app: &App,
    serials: &Vec<String>,
    listing: Option<&Listing>,
) -> Result<Found, AppError> {
    let rows = listing.map_or(0, |listing| listing.items.len());
    let tx = machine_client(rows * BYTES_OF_A_ROW, app)
        .await?
        .transaction();
    let machine = begin_with_machine(serials, &tx).await?;
    let (Some(machine), Some(listing)) = (machine, listing) else {
        tx.rollback().await?;
        return Ok(machine.map_or(Found::No, |_| Found::Yes));
    };
    let now = app.now();
    let before = inventory_of(&tx, &machine).await?.into_iter().next();
    let is_first = before.is_none();
    let (changes, lines) = if before.is_some_and(|before| is_up_to_date(&before, listing)) {
        (Changes::default(), Vec::new())
    } else {
        let present = items_of(&tx, &machine).await?;
        // A first inventory tells what there is, not what changed.
        let lines = match is_first {
            true => Vec::new(),
            false => lines::lines(&present, &listing.items),
        };
        (plan::plan(&present, listing), lines)
    };
    if changes != Changes::default() && app.store.has_own_tables() {
        let noted = tokio::try_join!(
            biased;
            note_applications(&tx, &machine),
            write_changes(machine, now, &lines, &tx),
        );
        retry::noted(noted.map(|(machines, _)| machines), app)?;
    }
    write(machine, now, &listing.sha256hash, &changes, tx).await?;
    Ok(Found::Yes)
}

/// Whether only the date is new. The number of items counts too, because the original could lose them after it had
/// stored the hash.
fn is_up_to_date(before: &StoredInventory, listing: &Listing) -> bool {
    before.sha256hash == listing.sha256hash
        && usize::try_from(before.items) == Ok(listing.items.len())
}

fn nothing_submitted() -> Response {
    django::answer(StatusCode::OK, "No inventory submitted.\n")
}

/// About what an item has on its way to the database.
const BYTES_OF_A_ROW: usize = 200;
