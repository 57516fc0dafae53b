//! Where a figure came from, as its files say.

use super::figure_of::Figure;
use super::style::Style;

/// The crate that draws the SVG; a test compares the version with Cargo.lock.
const DRAWN_BY: &str = "plotters 0.3.7";

/// What a figure says about itself: one line of text a fact.
///
/// Files are named by their place in the folder, so that the same tables give the same bytes wherever
/// they lie.
pub(super) fn provenance(figure: &Figure, style: &Style, preset: &str) -> String {
    let mut command = format!("prunephase plot {} --figure {} --preset {preset}", figure.source, figure.kind);
    if let Some(file) = &style.origin.file {
        command.push_str(&format!(" --style {file}"));
    }
    let mut lines = vec![
        format!("prunephase {}", env!("CARGO_PKG_VERSION")),
        DRAWN_BY.to_owned(),
        format!("figure {}", figure.kind),
        format!("command {command}"),
    ];
    lines.extend(figure.used.iter().map(|file| format!("{} blake3 {}", file.name, file.checksum)));
    let file = style.origin.file.as_deref().unwrap_or("plots/style.toml");
    lines.push(format!("style {file} blake3 {}", style.origin.checksum));
    lines.join("\n")
}

/// What the files of a figure carry.
pub(super) struct Metadata {
    pub title: String,
    pub description: String,
    pub provenance: String,
}

/// A PDF with the metadata in its document information, as an update behind its end (ISO 32000-1, 7.5.6); none
/// where the PDF is not as svg2pdf writes it.
pub(super) fn in_pdf(mut pdf: Vec<u8>, metadata: &Metadata) -> Option<Vec<u8>> {
    let text = |at: usize| std::str::from_utf8(pdf.get(at..)?).ok();
    let trailer = text(last(&pdf, b"trailer")?)?;
    let after = |key: &str| Some(trailer.split_once(key)?.1.trim_start());
    let reference = |key: &str| {
        let parts: Vec<&str> = after(key)?.split_ascii_whitespace().take(2).collect();
        parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit())).then(|| parts.join(" "))
    };
    let size: u32 = after("/Size ")?.split_ascii_whitespace().next()?.parse().ok()?;
    let (root, info) = (reference("/Root ")?, reference("/Info ")?);
    let (number, generation) = info.split_once(' ')?;
    let before: usize = after("startxref")?.split_ascii_whitespace().next()?.parse().ok()?;
    let generation: u16 = generation.parse().ok()?;
    let prunephase = format!("prunephase {}", env!("CARGO_PKG_VERSION"));
    let entries = [
        ("Title", metadata.title.as_str()),
        ("Subject", metadata.description.as_str()),
        ("Keywords", metadata.provenance.as_str()),
        ("Creator", prunephase.as_str()),
        ("Producer", "svg2pdf"),
    ];
    let entries: String = entries.iter().map(|(key, value)| format!("/{key} {}\n", pdf_text(value))).collect();
    let object = format!("\n{number} {generation} obj\n<<\n{entries}>>\nendobj\n");
    let at = pdf.len() + 1;
    let table = pdf.len() + object.len();
    let tail = format!(
        "xref\n0 1\n0000000000 65535 f\r\n{number} 1\n{at:010} {generation:05} n\r\ntrailer\n\
         << /Size {size} /Root {root} R /Info {info} R /Prev {before} >>\nstartxref\n{table}\n%%EOF\n"
    );
    pdf.extend_from_slice(object.as_bytes());
    pdf.extend_from_slice(tail.as_bytes());
    Some(pdf)
}

fn last(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).rposition(|window| window == what)
}

/// A text string of PDF: in brackets, or as UTF-16 where a letter needs it.
fn pdf_text(text: &str) -> String {
    if text.is_ascii() {
        let escaped = text.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)").replace('\n', "\\n");
        return format!("({escaped})");
    }
    let digits: String = text.encode_utf16().map(|unit| format!("{unit:04X}")).collect();
    format!("<FEFF{digits}>")
}

/// A PNG with the metadata in text chunks, and its size on paper.
pub(super) fn in_png(png: &[u8], metadata: &Metadata, dpi: f64) -> Option<Vec<u8>> {
    // Behind the signature and the header.
    let (head, rest) = png.split_at_checked(8 + 25)?;
    let mut out = head.to_vec();
    let per_metre = ((dpi / 0.0254).round() as u32).to_be_bytes();
    out.extend(chunk(b"pHYs", &[&per_metre[..], &per_metre, &[1]].concat()));
    let prunephase = format!("prunephase {}", env!("CARGO_PKG_VERSION"));
    let entries = [
        ("Title", &metadata.title),
        ("Description", &metadata.description),
        ("Source", &metadata.provenance),
        ("Software", &prunephase),
    ];
    for (keyword, text) in entries {
        out.extend(chunk(b"iTXt", &[keyword.as_bytes(), &[0; 5], text.as_bytes()].concat()));
    }
    out.extend_from_slice(rest);
    Some(out)
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(data);
    [&(data.len() as u32).to_be_bytes()[..], kind, data, &crc.sum().to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drawing_crate_is_the_one_that_is_locked() {
        let lock = include_str!("../../Cargo.lock");
        let (name, version) = DRAWN_BY.split_once(' ').unwrap();
        assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"")), "{DRAWN_BY}");
    }

    #[test]
    fn texts_of_a_pdf_are_escaped() {
        assert_eq!(pdf_text("a (b) \\"), "(a \\(b\\) \\\\)");
        assert_eq!(pdf_text("χ"), "<FEFF03C7>");
    }

    #[test]
    fn the_checksum_of_a_chunk_is_that_of_the_standard() {
        // The end of every PNG.
        assert_eq!(chunk(b"IEND", &[]), [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]);
    }
}
