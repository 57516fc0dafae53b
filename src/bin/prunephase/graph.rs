//! `prunephase graph`: a checkpoint's graph for other tools.

use std::path::PathBuf;
use std::process::ExitCode;

use prunephase::checkpoint::Checkpoint;
use prunephase::graph::{Encoding, Format, LayeredGraph};

use crate::output;

/// Write the graph of a checkpoint for other tools
#[derive(Debug, clap::Args)]
pub struct GraphArgs {
    /// The checkpoint
    checkpoint: PathBuf,
    /// GraphML, a table of edges, or node-link JSON
    #[arg(long, value_enum)]
    format: FormatName,
    /// How a convolution becomes a graph
    #[arg(long, value_enum, default_value = "channel")]
    encoding: EncodingName,
    /// The file to write
    #[arg(long)]
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum FormatName {
    Graphml,
    Csv,
    Json,
}

/// How a convolution becomes a graph.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum EncodingName {
    /// Nodes are channels, joined where any tap of a kernel is kept
    Channel,
}

impl From<EncodingName> for Encoding {
    fn from(name: EncodingName) -> Self {
        match name {
            EncodingName::Channel => Self::Channel,
        }
    }
}

/// Runs the command.
pub fn run(args: &GraphArgs) -> anyhow::Result<ExitCode> {
    let Checkpoint { network, parameters, mask, warnings, .. } = Checkpoint::read(&args.checkpoint)?;
    output::warn(&warnings);
    let graph = LayeredGraph::from_network(&network, &parameters, &mask, args.encoding.into())?;
    let format = match args.format {
        FormatName::Graphml => Format::GraphMl,
        FormatName::Csv => Format::Csv,
        FormatName::Json => Format::Json,
    };
    graph.write(&args.out, format)?;
    eprintln!(
        "prunephase: {} nodes, {} kept weights between {} pairs of nodes in {}",
        graph.nodes(),
        graph.edges(),
        graph.pairs(),
        args.out.display()
    );
    Ok(ExitCode::SUCCESS)
}
