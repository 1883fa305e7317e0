//! The bundled container engine.
