//! Python face of the core.
