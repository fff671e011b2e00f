//! Tracers that clients write in JavaScript.
//!
//! Nothing inside a process bounds what a script does: built-in functions loop, recurse and allocate without asking.
//! So each request has a helper process of its own with little memory and no files, which is killed when its time is
//! over. It runs the transaction again and asks here for the state.
mod run;
#[cfg(feature = "scripts")]
mod serve;
mod wire;

pub use run::{Room, Script};
#[cfg(feature = "scripts")]
pub use serve::serve;

/// This build has no interpreter.
///
/// # Errors
/// Always.
#[cfg(not(feature = "scripts"))]
pub fn serve(_: impl std::io::Read, _: impl std::io::Write) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests;
