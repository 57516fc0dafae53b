//! From plotters' SVG to files: SVG with its font inside, PDF and PNG.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use super::page::Drawn;
use super::provenance::{self, Metadata};
use super::style::Style;
use super::text::{FAMILY, ITALIC, REGULAR};

const MILLIMETRES_PER_POINT: f64 = 25.4 / 72.0;
/// CSS pixels per inch, in which usvg measures a page.
const CSS_DPI: f64 = 96.0;

/// A page as SVG with its size in millimetres, `scale` times what was drawn, its font and where it came from.
pub(super) fn svg(metadata: &Metadata, drawn: &Drawn, scale: f64) -> Result<String, String> {
    let body = body(drawn)?;
    let pixels = |points: f64| (points * super::canvas::PER_POINT).round();
    let millimetres = |points: f64| (points * scale * MILLIMETRES_PER_POINT * 1000.0).round() / 1000.0;
    Ok(format!(
        "<svg width=\"{}mm\" height=\"{}mm\" viewBox=\"0 0 {} {}\" stroke-linejoin=\"round\" \
         xmlns=\"http://www.w3.org/2000/svg\">\n<title>{}</title>\n<desc>{}</desc>\n<metadata>{}</metadata>\n\
         <style>\n{}{}</style>{body}",
        millimetres(drawn.width),
        millimetres(drawn.height),
        pixels(drawn.width),
        pixels(drawn.height),
        escaped(&metadata.title),
        escaped(&metadata.description),
        escaped(&metadata.provenance),
        font_faces()[0],
        font_faces()[1],
    ))
}

/// What plotters drew without its header, which has no unit: its pixels would be taken for CSS pixels.
pub(super) fn body(drawn: &Drawn) -> Result<&str, String> {
    Ok(drawn.svg.split_once('>').map(|(_, body)| body).ok_or("plotters gave no SVG")?)
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The bundled fonts as CSS, upright and italic.
pub(super) fn font_faces() -> [String; 2] {
    [font_face("normal", REGULAR), font_face("italic", ITALIC)]
}

fn font_face(style: &str, font: &[u8]) -> String {
    format!(
        "@font-face {{ font-family: {FAMILY}; font-style: {style}; \
         src: url(data:font/ttf;base64,{}) format(\"truetype\"); }}\n",
        base64(font)
    )
}

/// Base64 with padding, as in RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0u32, |bits, (at, &byte)| bits | u32::from(byte) << (16 - 8 * at));
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) as usize & 63;
            text.push(if digit <= chunk.len() { char::from(DIGITS[index]) } else { '=' });
        }
    }
    text
}

/// The bundled fonts and no other: the same letters on every machine.
fn fonts() -> Arc<fontdb::Database> {
    static FONTS: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    FONTS
        .get_or_init(|| {
            let mut database = fontdb::Database::new();
            database.load_font_data(REGULAR.to_vec());
            database.load_font_data(ITALIC.to_vec());
            Arc::new(database)
        })
        .clone()
}

fn tree(svg: &str) -> Result<Tree, String> {
    let options =
        Options { fontdb: fonts(), font_family: FAMILY.to_owned(), dpi: CSS_DPI as f32, ..Options::default() };
    Tree::from_str(svg, &options).map_err(|error| error.to_string())
}

/// How often a PDF is made until its parts are in order; each attempt is in order with a chance of about 1/4.
const ATTEMPTS: usize = 500;

/// The SVG as PDF; its text stays text.
pub(super) fn pdf(svg: &str, metadata: &Metadata) -> Result<Vec<u8>, String> {
    let tree = tree(svg)?;
    let page = svg2pdf::PageOptions { dpi: CSS_DPI as f32 };
    let convert =
        || svg2pdf::to_pdf(&tree, svg2pdf::ConversionOptions::default(), page).map_err(|error| error.to_string());
    // svg2pdf 0.13 keeps fonts and resources in hash maps, and writes them in an order that changes from call to
    // call. All orders are the same document; we want the same bytes.
    let mut bytes = convert()?;
    for _ in 1..ATTEMPTS {
        if in_order(&bytes) {
            break;
        }
        bytes = convert()?;
    }
    provenance::in_pdf(bytes, metadata).ok_or_else(|| "svg2pdf gave a PDF without document information".to_owned())
}

/// Whether the names of resources and of fonts ascend in a PDF of svg2pdf.
fn in_order(pdf: &[u8]) -> bool {
    let lines = pdf.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let mut fonts: Vec<&[u8]> = Vec::new();
    let mut before: Option<&[u8]> = None;
    for line in lines {
        if let Some(name) = line.strip_prefix(b"/BaseFont /") {
            // Letters drawn from the content stand before the `+`.
            fonts.push(name.split(|&byte| byte == b'+').next_back().unwrap_or(name));
        }
        let name = line.split(|&byte| byte == b' ').next().unwrap_or(line);
        let resource = [&b"/fo"[..], b"/gs", b"/xo"].iter().any(|kind| {
            name.strip_prefix(*kind).is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
        });
        let name = resource.then_some(name);
        // Fewer digits come first: /gs2 before /gs10.
        if before.zip(name).is_some_and(|(one, other)| (one.len(), one) > (other.len(), other)) {
            return false;
        }
        before = name;
    }
    fonts.is_sorted()
}

/// The SVG as PNG.
pub(super) fn png(svg: &str, metadata: &Metadata, style: &Style) -> Result<Vec<u8>, String> {
    let tree = tree(svg)?;
    let scale = style.png.dpi / CSS_DPI;
    let pixels = |length: f32| (f64::from(length) * scale).round().max(1.0) as u32;
    let mut pixmap = Pixmap::new(pixels(tree.size().width()), pixels(tree.size().height()))
        .ok_or("the picture has too many pixels")?;
    pixmap.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(scale as f32, scale as f32), &mut pixmap.as_mut());
    let bytes = pixmap.encode_png().map_err(|error| error.to_string())?;
    provenance::in_png(&bytes, metadata, style.png.dpi).ok_or_else(|| "the PNG has no header".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }

    #[test]
    fn lines_are_as_wide_as_they_were_measured() {
        use crate::figure::canvas::{Align, Canvas};
        use crate::figure::colour::Colour;
        use crate::figure::text::Rich;
        for markup in ["order parameter 0.0123456789", "*P*", "χ αβγ ± ∞", "x", "WAVE To 11"] {
            let rich = Rich::parse(markup);
            let mut buffer = String::new();
            {
                let canvas = Canvas::new(&mut buffer, 300.0, 50.0, Colour(255, 255, 255)).unwrap();
                canvas.text((10.0, 30.0), &rich, 10.0, Colour(0, 0, 0), Align::Start).unwrap();
            }
            let tree = tree(&buffer).unwrap();
            let text = tree.root().children().iter().find_map(|node| match node {
                resvg::usvg::Node::Text(text) => Some(text.bounding_box()),
                _ => None,
            });
            // In hundredths of a point: advances in both, so a difference is a difference of fonts or factors.
            let (measured, seen) = (rich.width() * 1000.0, f64::from(text.unwrap().width()));
            assert!((measured - seen).abs() < 5.0, "{markup}: measured {measured}, set {seen}");
        }
    }
}
