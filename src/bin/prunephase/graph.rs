//! `prunephase graph`: a checkpoint's graph for other tools.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use prunephase::checkpoint::Checkpoint;
use prunephase::graph::{self, LayeredGraph};

use crate::reading::ReadArgs;
use crate::{examples, output, progress};

/// What the nodes of the graph are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Encoding {
    /// Units of linear layers, channels of convolutions
    Channel,
    /// Units of linear layers and of feature maps; a shared weight is one link at every position
    Unrolled,
}

impl From<Encoding> for graph::Encoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Channel => Self::Channel,
            Encoding::Unrolled => Self::Unrolled,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// GraphML: node attributes group, role, index; edge attributes layer, weight
    Graphml,
    /// Columns source, target, layer, weight
    Csv,
    /// Node-link JSON; in networkx, node_link_graph(data, edges="edges")
    Json,
}

impl From<Format> for graph::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Graphml => Self::GraphMl,
            Format::Csv => Self::Csv,
            Format::Json => Self::Json,
        }
    }
}

/// Write the graph of a checkpoint's kept weights
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::GRAPH)]
pub struct GraphArgs {
    /// The checkpoint
    #[arg(value_name = "CKPT")]
    checkpoint: PathBuf,
    /// The format of the file
    #[arg(long)]
    format: Format,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What the nodes are
    #[arg(long, default_value = "channel")]
    encoding: Encoding,
    #[command(flatten)]
    reading: ReadArgs,
}

/// The graph of a checkpoint; what is wrong with it under the file's name.
pub fn of(path: &Path, checkpoint: &Checkpoint, encoding: Encoding) -> anyhow::Result<LayeredGraph> {
    let Checkpoint { network, parameters, mask, .. } = checkpoint;
    LayeredGraph::from_network(network, parameters, mask, encoding.into())
        .map_err(|error| anyhow::Error::new(error).context(path.display().to_string()))
}

/// Scores of the kept weights, by layer and flat index, in the order of the graph's weights.
pub fn ordered(checkpoint: &Checkpoint, scores: Vec<f32>) -> anyhow::Result<Vec<f32>> {
    let Checkpoint { network, parameters, mask, .. } = checkpoint;
    let order = LayeredGraph::weight_order(network, parameters, mask)?;
    Ok(order.map_or_else(|| scores.clone(), |order| order.iter().map(|&place| scores[place as usize]).collect()))
}

/// Runs `prunephase graph`.
pub fn run(args: &GraphArgs) -> anyhow::Result<ExitCode> {
    let checkpoint = args.reading.read(&args.checkpoint)?;
    output::warn(&checkpoint.warnings);
    let graph = of(&args.checkpoint, &checkpoint, args.encoding)?;
    progress::during("writing the graph", || graph.write(&args.out, args.format.into()))?;
    let links = if graph.shares_weights() { format!("{} links of ", graph.links()) } else { String::new() };
    println!(
        "{}: {} nodes, {} pairs of nodes joined by {links}{} kept weights of {} (density {})",
        args.out.display(),
        graph.nodes(),
        graph.pairs(),
        graph.edges(),
        graph.dense(),
        graph.density()
    );
    Ok(ExitCode::SUCCESS)
}
