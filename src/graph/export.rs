//! Graphs written as GraphML, CSV and JSON, for other tools.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{LayeredGraph, Role};
use crate::files::{self, FileError};

/// A format of an exported graph.
///
/// All of them hold the pairs with their largest |w| as `weight` and their layer's name; nodes are
/// numbered as in [`LayeredGraph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// GraphML 1.0: node attributes group, role, index; edge attributes layer, weight.
    GraphMl,
    /// A table with the columns source, target, layer, weight; isolated nodes are not in it.
    Csv,
    /// Node-link JSON, as networkx reads with `node_link_graph(data, edges="edges")`.
    Json,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct CsvRow<'a> {
    source: usize,
    target: usize,
    layer: &'a str,
    weight: f32,
}

#[derive(Serialize)]
struct JsonNode<'a> {
    id: usize,
    group: &'a str,
    role: Role,
    index: usize,
}

#[derive(Serialize)]
struct JsonGraph {
    nodes: usize,
    edges: usize,
    links: usize,
    pairs: usize,
    dense: usize,
    density: f64,
}

/// `text` as XML character data or attribute value. XML 1.0 has no way to write most control
/// characters: they become U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(escaped, "&#{};", character as u32);
            }
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(character),
        }
    }
    escaped
}

impl LayeredGraph {
    /// Writes the graph to `path`, whole or not at all. O(nodes + pairs), streamed.
    ///
    /// # Errors
    /// [`FileError::Write`] where the disk refuses.
    pub fn write(&self, path: &Path, format: Format) -> Result<(), FileError> {
        files::write_atomically(path, |file| match format {
            Format::GraphMl => self.write_graphml(file),
            Format::Csv => self.write_csv(file),
            Format::Json => self.write_json(file),
        })
    }

    fn write_graphml(&self, file: &mut dyn Write) -> io::Result<()> {
        file.write_all(
            br#"<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
  <key id="group" for="node" attr.name="group" attr.type="string"/>
  <key id="role" for="node" attr.name="role" attr.type="string"/>
  <key id="index" for="node" attr.name="index" attr.type="int"/>
  <key id="layer" for="edge" attr.name="layer" attr.type="string"/>
  <key id="weight" for="edge" attr.name="weight" attr.type="double"/>
  <graph id="network" edgedefault="directed">
"#,
        )?;
        for group in self.groups() {
            let name = escape(&group.name);
            for index in 0..group.size {
                writeln!(
                    file,
                    "    <node id=\"n{}\"><data key=\"group\">{name}</data><data key=\"role\">{}</data><data \
                     key=\"index\">{index}</data></node>",
                    group.first + index,
                    group.role
                )?;
            }
        }
        let layers: Vec<String> = self.blocks().iter().map(|block| escape(block.name())).collect();
        for edge in self.pair_edges() {
            writeln!(
                file,
                "    <edge id=\"e{}\" source=\"n{}\" target=\"n{}\"><data key=\"layer\">{}</data><data \
                 key=\"weight\">{}</data></edge>",
                edge.id, edge.source, edge.target, layers[edge.block], edge.weight
            )?;
        }
        file.write_all(b"  </graph>\n</graphml>\n")
    }

    fn csv_rows(&self) -> impl Iterator<Item = CsvRow<'_>> {
        self.pair_edges().map(|edge| CsvRow {
            source: edge.source,
            target: edge.target,
            layer: self.blocks()[edge.block].name(),
            weight: *edge.weight,
        })
    }

    fn write_csv(&self, file: &mut dyn Write) -> io::Result<()> {
        // The header by hand: a graph without edges must have one, too.
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(file);
        writer.write_record(["source", "target", "layer", "weight"])?;
        for row in self.csv_rows() {
            writer.serialize(row)?;
        }
        writer.flush()
    }

    fn write_json(&self, file: &mut dyn Write) -> io::Result<()> {
        let graph = JsonGraph {
            nodes: self.nodes(),
            edges: self.edges(),
            links: self.links(),
            pairs: self.pairs(),
            dense: self.dense(),
            density: self.density().value(),
        };
        file.write_all(b"{\"directed\":true,\"multigraph\":false,\"graph\":")?;
        serde_json::to_writer(&mut *file, &graph)?;
        file.write_all(b",\n\"nodes\":[")?;
        let mut separator: &[u8] = b"\n";
        for group in self.groups() {
            for index in 0..group.size {
                file.write_all(separator)?;
                separator = b",\n";
                let node = JsonNode { id: group.first + index, group: &group.name, role: group.role, index };
                serde_json::to_writer(&mut *file, &node)?;
            }
        }
        file.write_all(b"],\n\"edges\":[")?;
        separator = b"\n";
        for row in self.csv_rows() {
            file.write_all(separator)?;
            separator = b",\n";
            serde_json::to_writer(&mut *file, &row)?;
        }
        file.write_all(b"]}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Block;

    fn graph() -> LayeredGraph {
        let groups = [("input".to_owned(), 2, Role::Input), ("a<&\">".to_owned(), 2, Role::Output)];
        let entries = [(0, 0, 0.1), (0, 0, -0.3), (1, 1, 1e-30)];
        let block = Block::new("a<&\">", (0, 2), (1, 2), 8, entries).unwrap();
        LayeredGraph::new(groups, vec![block]).unwrap()
    }

    fn text(graph: &LayeredGraph, format: Format) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("graph");
        graph.write(&path, format).unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn graphml_is_xml_with_every_node_and_pair() {
        let graph = graph();
        let text = text(&graph, Format::GraphMl);
        let document = resvg::usvg::roxmltree::Document::parse(&text).unwrap();
        let keys: Vec<_> = document.descendants().filter(|node| node.has_tag_name("key")).collect();
        assert_eq!(keys.len(), 5);
        let of = |tag: &'static str| document.descendants().filter(move |node| node.tag_name().name() == tag);
        let data = |node: resvg::usvg::roxmltree::Node, key: &str| {
            let found = node.children().find(|child| child.attribute("key") == Some(key)).unwrap();
            found.text().unwrap().to_owned()
        };
        let nodes: Vec<_> = of("node").collect();
        assert_eq!(nodes.len(), 4);
        assert_eq!(nodes[3].attribute("id"), Some("n3"));
        assert_eq!((data(nodes[3], "group"), data(nodes[3], "index")), ("a<&\">".to_owned(), "1".to_owned()));
        assert_eq!(data(nodes[3], "role"), "output");
        let edges: Vec<_> = of("edge")
            .map(|edge| {
                assert_eq!(data(edge, "layer"), "a<&\">");
                let end = |name| edge.attribute(name).unwrap().to_owned();
                (end("source"), end("target"), data(edge, "weight").parse::<f32>().unwrap())
            })
            .collect();
        assert_eq!(edges, [("n0".into(), "n2".into(), 0.3), ("n1".into(), "n3".into(), 1e-30)]);
    }

    #[test]
    fn csv_reads_back() {
        let graph = graph();
        let text = text(&graph, Format::Csv);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap(), &["source", "target", "layer", "weight"][..]);
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let rows: Vec<CsvRow> = records.iter().map(|record| record.deserialize(None).unwrap()).collect();
        assert_eq!(rows, graph.csv_rows().collect::<Vec<_>>());
        let none = LayeredGraph::new([("input".to_owned(), 1, Role::Input)], vec![]).unwrap();
        assert_eq!(self::text(&none, Format::Csv), "source,target,layer,weight\n");
    }

    #[test]
    fn json_is_node_link() {
        let value: serde_json::Value = serde_json::from_str(&text(&graph(), Format::Json)).unwrap();
        assert_eq!(value["directed"], true);
        assert_eq!((&value["graph"]["edges"], &value["graph"]["links"]), (&3.into(), &3.into()));
        assert_eq!(value["graph"]["density"], 3.0 / 8.0);
        assert_eq!(value["nodes"].as_array().unwrap().len(), 4);
        assert_eq!(value["nodes"][2], serde_json::json!({"id": 2, "group": "a<&\">", "role": "output", "index": 0}));
        assert_eq!(value["edges"].as_array().unwrap().len(), 2);
        assert_eq!(value["edges"][0]["target"], 2);
        assert_eq!(value["edges"][0]["weight"].as_f64().unwrap() as f32, 0.3);
        let none = LayeredGraph::new([("input".to_owned(), 1, Role::Input)], vec![]).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text(&none, Format::Json)).unwrap();
        assert_eq!(value["edges"], serde_json::json!([]));
    }
}
