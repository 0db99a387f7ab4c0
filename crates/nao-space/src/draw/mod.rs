//! Pictures of cells.
