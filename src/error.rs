//! One umbrella error over the errors of the modules.

use thiserror::Error;

/// Everything that can go wrong in this crate, by the module that says so.
///
/// Each message is one line that names the file or the value, what is wrong with it and what
/// would be right.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] crate::files::FileError),
    /// A table has the wrong columns or values.
    #[error(transparent)]
    Table(#[from] crate::table::TableError),
    /// An architecture's description does not make a network.
    #[error(transparent)]
    Network(#[from] crate::network::NetworkError),
    /// A mask does not fit, or a pruned weight came back.
    #[error(transparent)]
    Mask(#[from] crate::mask::MaskError),
    /// A graph cannot be built.
    #[error(transparent)]
    Graph(#[from] crate::graph::GraphError),
    /// A graph cannot be measured.
    #[error(transparent)]
    Topology(#[from] crate::topology::TopologyError),
    /// A mask cannot be rewired as asked.
    #[error(transparent)]
    Rewire(#[from] crate::rewire::RewireError),
    /// Curves cannot be fitted.
    #[error(transparent)]
    Scaling(#[from] crate::scaling::ScalingError),
    /// A checkpoint is damaged, or its parts do not fit.
    #[error(transparent)]
    Checkpoint(#[from] crate::checkpoint::CheckpointError),
    /// A data set is missing or damaged.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// Pruning cannot be done as asked.
    #[error(transparent)]
    Pruning(#[from] crate::pruning::PruningError),
    /// Training cannot be done as asked, or failed.
    #[error(transparent)]
    Training(#[from] crate::training::TrainingError),
    /// A study cannot be read or run.
    #[cfg(feature = "train")]
    #[error(transparent)]
    Study(#[from] crate::study::StudyError),
    /// A figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] crate::figure::FigureError),
    /// A report could not be made.
    #[error(transparent)]
    Report(#[from] crate::report::ReportError),
}

/// A result with this crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
