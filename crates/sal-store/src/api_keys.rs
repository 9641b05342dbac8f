//! `server_apikey`: what programs show to the REST API.
//!
//! The private part lies in the table in clear text, because Django Sal compares it there. It leaves this file once,
//! by [`take_api_key`], and only as a [`Key`], which does not print itself.

use crate::{group_keys::Key, ids::ApiKeyId};

crate::queries! {
    /// All keys, in the order they were made, without their private parts.
    list_api_keys() -> /// A key of the list.
    ListedApiKey {
        /// Its id.
        id: ApiKeyId,
        /// What it is for.
        name: String,
        /// The part that is no secret, 24 characters.
        public_key: String,
        /// Whether the private part has been shown.
        has_been_seen: bool,
        /// Whether programs may change things with it.
        read_write: bool,
    } = "SELECT id, name, public_key, has_been_seen, read_write FROM server_apikey ORDER BY id";

    /// The key with this id, without its private part.
    find_api_key(id: ApiKeyId) -> /// A key that exists.
    FoundApiKey {
        /// What it is for.
        name: String,
        /// The part that is no secret, 24 characters.
        public_key: String,
        /// Whether the private part has been shown.
        has_been_seen: bool,
        /// Whether programs may change things with it.
        read_write: bool,
    } = "SELECT name, public_key, has_been_seen, read_write FROM server_apikey WHERE id = $1";

    /// Gives the key another name or right; both keys stay.
    update_api_key(id: ApiKeyId, name: str, read_write: bool) =
        "UPDATE server_apikey SET name = $2, read_write = $3 WHERE id = $1";

    /// Removes the key: programs that show it are refused from now on.
    delete_api_key(id: ApiKeyId) = "DELETE FROM server_apikey WHERE id = $1";

    /// Stores a key that nobody has seen and returns its id.
    insert_api_key(name: str, public_key: str, private_key: str, read_write: bool) -> /// A new key.
    NewApiKey {
        /// Its id.
        id: ApiKeyId,
    } = "INSERT INTO server_apikey (name, public_key, private_key, read_write, has_been_seen)
         VALUES ($1, $2, $3, $4, false) RETURNING id";

    /// The key that both parts are of.
    authenticate(public_key: str, private_key: str) -> /// Who shows a key.
    KnownApiKey {
        /// Its id.
        id: ApiKeyId,
        /// What it is for.
        name: String,
        /// Whether programs may change things with it.
        read_write: bool,
    } = "SELECT id, name, read_write FROM server_apikey WHERE public_key = $1 AND private_key = $2 ORDER BY id LIMIT 1";

    /// Marks the key as seen and returns all of it; nothing when it is gone or was seen before.
    take_api_key(id: ApiKeyId) -> /// A key as it is shown once.
    TakenApiKey {
        /// What it is for.
        name: String,
        /// The part that is no secret.
        public_key: String,
        /// The secret part, 64 characters.
        private_key: Key,
        /// Whether programs may change things with it.
        read_write: bool,
    } = "UPDATE server_apikey SET has_been_seen = true WHERE id = $1 AND NOT has_been_seen
         RETURNING name, public_key, private_key, read_write";
}
