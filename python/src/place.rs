//! Folders of the toolchain's cache that are whole if they are there.

use std::fs;
use std::path::{Path, PathBuf};

use opml_toolchain::progress::Progress;
use opml_toolchain::provision::cache::Cache;

use crate::error::PythonError;

/// The folder `id` of `cache`; if it is not there, `fill` makes it under another name.
///
/// # Errors
/// Those of `fill`, which leave nothing behind; [`PythonError::Io`], [`PythonError::Cache`].
pub fn provide(
    cache: &Cache,
    id: &str,
    progress: &dyn Progress,
    fill: impl FnOnce(&Path) -> Result<(), PythonError>,
) -> Result<PathBuf, PythonError> {
    let place = cache.toolchain(id);
    if place.is_dir() {
        return Ok(place);
    }
    let guard = cache.lock(progress)?;
    // Another process may have done it while this one waited.
    if place.is_dir() {
        return Ok(place);
    }
    cache.remove_leftovers(&guard)?;
    let partial = cache.partial(id);
    let filled =
        fill(&partial).and_then(|()| fs::rename(&partial, &place).map_err(PythonError::io("write", &place)));
    if let Err(error) = filled {
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(PythonError::io("remove", &partial))?;
        }
        return Err(error);
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use opml_toolchain::progress::Silent;

    use super::*;

    #[test]
    fn what_failed_leaves_nothing_and_what_is_there_is_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(Some(folder.path())).unwrap();
        let make = |partial: &Path| {
            fs::create_dir(partial).map_err(PythonError::io("make", partial))?;
            fs::write(partial.join("half"), "").map_err(PythonError::io("write", partial))
        };
        let failed = provide(&cache, "x", &Silent, |partial| {
            make(partial)?;
            Err(PythonError::NoPython { found: Vec::new() })
        });
        assert!(matches!(failed, Err(PythonError::NoPython { .. })), "{failed:?}");
        assert_eq!(cache.installed().unwrap(), [""; 0]);
        assert!(!cache.partial("x").exists());

        let place = provide(&cache, "x", &Silent, make).unwrap();
        assert!(place.join("half").is_file());
        let again = provide(&cache, "x", &Silent, |_| panic!("it is there"));
        assert_eq!(again.unwrap(), place);
    }
}
