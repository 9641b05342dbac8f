//! Whether the folder of a unix socket is a place in which nobody else can put one in its stead.
//!
//! Clients send a password to nobody there, but their queries: whoever can take the socket away and listen under its
//! name is the database to them. So every folder on the way belongs to us or to root, and nobody else may write in
//! it; where others may (as in `/tmp`), the sticky bit keeps them from what is not theirs.

use std::{
    collections::VecDeque,
    ffi::OsString,
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt,
    path::{Component, Path, PathBuf},
};

/// Why a folder is refused: what is wrong with which, and what to do.
pub(crate) fn objection(folder: &Path, us: u32) -> io::Result<Option<String>> {
    let mut way: VecDeque<OsString> = parts(&std::path::absolute(folder)?);
    let mut at = PathBuf::from("/");
    let mut links = 0;
    loop {
        let is_last = way.is_empty();
        let metadata = std::fs::symlink_metadata(&at)?;
        if let Some(objection) = about(&at, &metadata, us, is_last) {
            return Ok(Some(objection));
        }
        let Some(next) = way.pop_front() else {
            return Ok(None);
        };
        if next == ".." {
            at.pop();
            continue;
        }
        let below = at.join(&next);
        let metadata = std::fs::symlink_metadata(&below)?;
        if !metadata.is_symlink() {
            at = below;
            continue;
        }
        if !trusted(metadata.uid(), us) {
            return Ok(Some(format!(
                "`{}` is a link of user {}'s, who can let it lead elsewhere; name the folder itself",
                below.display(),
                metadata.uid()
            )));
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(io::Error::other("too many links"));
        }
        let target = std::fs::read_link(&below)?;
        if target.is_absolute() {
            at = PathBuf::from("/");
        }
        for part in parts(&target).into_iter().rev() {
            way.push_front(part);
        }
    }
}

/// What is wrong with one folder on the way; the last one is where the socket will be.
fn about(folder: &Path, metadata: &Metadata, us: u32, is_last: bool) -> Option<String> {
    let name = folder.display();
    if !metadata.is_dir() {
        return Some(format!("`{name}` is no folder"));
    }
    let (owner, mode) = (metadata.uid(), metadata.mode());
    if !trusted(owner, us) {
        return Some(format!(
            "`{name}` belongs to user {owner}, who could put another socket in this one's place; choose a folder below one of your own or of root's"
        ));
    }
    let others_write = mode & 0o022 != 0;
    let is_sticky = mode & 0o1000 != 0;
    // In a sticky folder others cannot take away what is not theirs; but they can be there first.
    let is_kept = is_sticky && (!is_last || owner == us);
    (others_write && !is_kept).then(|| {
        format!(
            "others may write in `{name}` (mode {:o}) and could put another socket in this one's place; chmod go-w {name}, or choose a folder of your own, such as unix:/run/sal",
            mode & 0o7777
        )
    })
}

fn trusted(owner: u32, us: u32) -> bool {
    owner == us || owner == 0
}

/// The names in a path, `..` included.
fn parts(path: &Path) -> VecDeque<OsString> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        _ => None,
    });
    names.collect()
}

/// As many as Linux follows.
const MOST_LINKS: usize = 40;

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// A folder below one of ours, and us.
    fn place() -> (tempfile::TempDir, PathBuf, u32) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        fs::create_dir_all(&folder).unwrap();
        let us = fs::metadata(root.path()).unwrap().uid();
        (root, folder, us)
    }

    #[test]
    fn folders_in_which_others_write_are_refused_with_what_to_do() {
        let (root, folder, us) = place();
        for good in [0o700, 0o755, 0o711, 0o1777, 0o1770] {
            mode(&folder, good);
            assert_eq!(objection(&folder, us).unwrap(), None, "{good:o}");
        }
        for bad in [0o777, 0o770, 0o775, 0o720, 0o702, 0o2775] {
            mode(&folder, bad);
            let why = objection(&folder, us).unwrap().unwrap();
            assert!(
                why.contains("others may write in") && why.contains("chmod go-w"),
                "{bad:o}: {why}"
            );
        }
        // Whoever may write above can rename the folder itself.
        mode(&folder, 0o700);
        mode(&root.path().join("a"), 0o777);
        assert!(objection(&folder, us).unwrap().unwrap().contains("/a`"));
        mode(&root.path().join("a"), 0o1777);
        assert_eq!(
            objection(&folder, us).unwrap(),
            None,
            "a sticky one above is as good as /tmp"
        );
    }

    #[test]
    fn the_owner_of_a_folder_or_a_link_on_the_way_counts() {
        let (root, folder, us) = place();
        let stranger = us + 1;
        let why = objection(&folder, stranger).unwrap();
        // As somebody else, unless all of this is root's.
        assert!(us == 0 || why.unwrap().contains("belongs to user"));
        let link = root.path().join("link");
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        assert_eq!(
            objection(&link, us).unwrap(),
            None,
            "our own link into our own folder"
        );
        mode(&folder, 0o777);
        assert!(
            objection(&link, us).unwrap().is_some(),
            "what the link leads to counts"
        );
        mode(&folder, 0o700);
        let relative = root.path().join("relative");
        std::os::unix::fs::symlink("a/../a/b", &relative).unwrap();
        assert_eq!(objection(&relative, us).unwrap(), None);
        let circle = root.path().join("circle");
        std::os::unix::fs::symlink(&circle, &circle).unwrap();
        assert!(objection(&circle, us).is_err());
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(
            objection(&file, us)
                .unwrap()
                .unwrap()
                .contains("is no folder")
        );
    }
}
