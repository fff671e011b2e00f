//! Artifacts of the proof system as files of a job's folder.
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use sp1_prover_types::{ArtifactClient, ArtifactId, ArtifactType};

/// Writes a file so that it is there whole or not at all, whatever happens to the process or the machine.
///
/// # Errors
/// The file system's.
pub fn write_durably(path: &Path, bytes: &[u8]) -> Result<()> {
    let draft = path.with_extension("draft");
    let mut file = File::create(&draft).with_context(|| draft.display().to_string())?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    let parent = path.parent().context("a file lies in a folder")?;
    File::open(parent)?.sync_all()?;
    Ok(())
}

/// Gives a file that was written under a draft's name its own, once it is whole on the disk.
///
/// # Errors
/// The file system's.
pub fn keep(draft: &Path, path: &Path) -> Result<()> {
    let file = File::open(draft).with_context(|| draft.display().to_string())?;
    file.sync_all()?;
    fs::rename(draft, path)?;
    Ok(())
}

/// Keeps artifacts: those whose name has a dot are files of the open folder, all others are of one task and in memory.
///
/// The proof system deletes what it has used. Files stay, so that nothing finished is made twice.
#[derive(Clone, Default)]
pub struct FolderClient {
    folder: Arc<Mutex<PathBuf>>,
    passing: Arc<Mutex<HashMap<String, Vec<u8>>>>,
}

impl FolderClient {
    /// From here on files are this folder's; what was in memory is forgotten.
    pub fn open(&self, folder: &Path) {
        folder.clone_into(&mut lock(&self.folder));
        lock(&self.passing).clear();
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        name.contains('.').then(|| lock(&self.folder).join(name))
    }
}

/// A panic elsewhere leaves no half-done change under these locks.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl ArtifactClient for FolderClient {
    async fn upload_raw(
        &self,
        artifact: &impl ArtifactId,
        _: ArtifactType,
        data: Vec<u8>,
    ) -> Result<()> {
        match self.file(artifact.id()) {
            Some(path) => write_durably(&path, &data)?,
            None => {
                lock(&self.passing).insert(artifact.id().to_owned(), data);
            }
        }
        Ok(())
    }

    async fn download_raw(&self, artifact: &impl ArtifactId, _: ArtifactType) -> Result<Vec<u8>> {
        match self.file(artifact.id()) {
            Some(path) => fs::read(&path).with_context(|| path.display().to_string()),
            None => lock(&self.passing)
                .get(artifact.id())
                .cloned()
                .with_context(|| format!("there is no artifact {}", artifact.id())),
        }
    }

    async fn exists(&self, artifact: &impl ArtifactId, _: ArtifactType) -> Result<bool> {
        Ok(match self.file(artifact.id()) {
            Some(path) => path.exists(),
            None => lock(&self.passing).contains_key(artifact.id()),
        })
    }

    async fn delete(&self, artifact: &impl ArtifactId, _: ArtifactType) -> Result<()> {
        lock(&self.passing).remove(artifact.id());
        Ok(())
    }

    async fn delete_batch(&self, artifacts: &[impl ArtifactId], _: ArtifactType) -> Result<()> {
        let mut passing = lock(&self.passing);
        for artifact in artifacts {
            passing.remove(artifact.id());
        }
        Ok(())
    }
}
