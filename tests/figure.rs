//! Figures from saved tables: golden SVGs, formats, provenance, and what damaged or odd tables do.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use prunephase::figure::{self, Format, Kind, Style};
use resvg::tiny_skia::Pixmap;

pub fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/figure/run")
}

/// A copy of the fixture that a test may damage.
pub fn copy_of_fixture(to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::copy(fixture().join("graph.json"), to.join("graph.json")).unwrap();
    for part in ["tables", "fits"] {
        fs::create_dir_all(to.join(part)).unwrap();
        for entry in fs::read_dir(fixture().join(part)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), to.join(part).join(entry.file_name())).unwrap();
        }
    }
}

fn draw(kind: Kind, source: &Path, formats: &[Format], out: &Path) -> Result<Vec<PathBuf>, String> {
    figure::draw(kind, source, &Style::bundled(), formats, out).map_err(|error| error.to_string())
}

fn drawn_svg(kind: Kind, source: &Path) -> Result<String, String> {
    let out = tempfile::tempdir().unwrap();
    let files = draw(kind, source, &[Format::Svg], out.path())?;
    Ok(fs::read_to_string(&files[0]).unwrap())
}

/// The text of an SVG, a line of text an entry.
fn texts(svg: &str) -> Vec<String> {
    let body = svg.split("</style>").nth(1).unwrap();
    body.split("<text ").skip(1).map(|text| text.split(['>', '<']).nth(1).unwrap().trim().to_owned()).collect()
}

/// `PRUNEPHASE_BLESS=1 cargo test figure` writes the golden files anew: look at them before they are committed.
#[test]
fn svgs_are_the_golden_ones() {
    for kind in Kind::ALL {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{kind}.svg"));
        let svg = drawn_svg(kind, &fixture()).unwrap();
        if std::env::var_os("PRUNEPHASE_BLESS").is_some() {
            fs::create_dir_all(golden.parent().unwrap()).unwrap();
            fs::write(&golden, &svg).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap();
        let differs = svg.lines().zip(expected.lines()).position(|(one, other)| one != other);
        assert!(svg == expected, "{kind}: line {differs:?} differs from {}", golden.display());
    }
}

#[test]
fn the_same_tables_give_the_same_bytes_wherever_they_lie() {
    let (elsewhere, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    copy_of_fixture(elsewhere.path());
    for kind in Kind::ALL {
        let one = draw(kind, &fixture(), &Format::ALL, &out.path().join("one")).unwrap();
        let other = draw(kind, elsewhere.path(), &Format::ALL, &out.path().join("other")).unwrap();
        let names: Vec<_> = one.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
        assert_eq!(names, ["svg", "pdf", "png", "csv"].map(|extension| format!("{kind}.{extension}")));
        for (one, other) in one.iter().zip(&other) {
            assert!(fs::read(one).unwrap() == fs::read(other).unwrap(), "{}", one.display());
        }
    }
}

/// What the metadata of a figure must say, given its preset and tables.
fn provenance(kind: Kind, preset: &str, names: &[&str]) -> Vec<String> {
    let mut expected = vec![
        format!("prunephase {}", env!("CARGO_PKG_VERSION")),
        "plotters 0.3.7".into(),
        format!("figure {kind}"),
        format!("command prunephase plot DIR --figure {kind} --preset {preset}"),
    ];
    let checksum = |path: &Path| blake3::hash(&fs::read(path).unwrap()).to_hex().to_string();
    expected.extend(names.iter().map(|name| format!("{name} blake3 {}", checksum(&fixture().join(name)))));
    let style = Path::new(env!("CARGO_MANIFEST_DIR")).join("plots/style.toml");
    expected.push(format!("style plots/style.toml blake3 {}", checksum(&style)));
    expected
}

#[test]
fn every_format_names_versions_command_and_tables_with_their_checksums() {
    let out = tempfile::tempdir().unwrap();
    let kind = Kind::OrderParameter;
    let expected = provenance(kind, "one-column", &["tables/levels.csv", "tables/percolation.csv"]);
    let files = draw(kind, &fixture(), &Format::ALL, out.path()).unwrap();
    let svg = fs::read_to_string(&files[0]).unwrap();
    let metadata = svg.split("<metadata>").nth(1).unwrap().split("</metadata>").next().unwrap();
    assert_eq!(metadata.lines().collect::<Vec<_>>(), expected);
    let pdf = String::from_utf8_lossy(&fs::read(&files[1]).unwrap()).into_owned();
    // The last document information counts.
    let keywords = pdf.rsplit("/Keywords (").next().unwrap().split(")\n").next().unwrap();
    assert_eq!(keywords.split("\\n").collect::<Vec<_>>(), expected);
    assert!(pdf.ends_with("%%EOF\n") && pdf.contains("/Title (order-parameter)"));
    let png = fs::read(&files[2]).unwrap();
    let source = png.windows(7).position(|window| window == b"Source\0").unwrap() + 6 + 5;
    assert!(png[source..].starts_with(expected.join("\n").as_bytes()));
    let scaling = drawn_svg(Kind::Scaling, &fixture()).unwrap();
    assert!(scaling.contains("fits/fit.json blake3") && scaling.contains("tables/fit.csv blake3"));
}

#[test]
fn a_pdf_is_updated_as_the_standard_says() {
    let out = tempfile::tempdir().unwrap();
    let files = draw(Kind::Ladder, &fixture(), &[Format::Pdf], out.path()).unwrap();
    let pdf = fs::read(&files[0]).unwrap();
    let number_after = |from: usize, key: &str| -> usize {
        let text = String::from_utf8_lossy(&pdf[from..]).into_owned();
        let after = text.split_once(key).unwrap().1.trim_start().to_owned();
        after.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
    };
    let last = |what: &[u8]| pdf.windows(what.len()).rposition(|window| window == what).unwrap();
    let table = number_after(last(b"startxref"), "startxref");
    assert!(pdf[table..].starts_with(b"xref\n"));
    let section = String::from_utf8_lossy(&pdf[table..]).into_owned();
    let mut lines = section.lines().skip(3);
    let object: usize = lines.next().unwrap().split(' ').next().unwrap().parse().unwrap();
    let at: usize = lines.next().unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(pdf[at..].starts_with(format!("{object} 0 obj").as_bytes()));
    assert_eq!(number_after(table, "/Info "), object);
    let before = number_after(table, "/Prev ");
    assert!(pdf[before..].starts_with(b"xref"));
}

#[test]
fn pngs_have_the_size_of_the_preset_and_show_something() {
    let out = tempfile::tempdir().unwrap();
    for kind in Kind::ALL {
        let style = Style::bundled();
        let millimetres = style.preset(&style.figures[kind.name()]).unwrap().width_mm;
        let files = draw(kind, &fixture(), &[Format::Png], out.path()).unwrap();
        let bytes = fs::read(&files[0]).unwrap();
        assert_eq!(bytes[..8], [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a]);
        let picture = Pixmap::decode_png(&bytes).unwrap();
        assert!((f64::from(picture.width()) - millimetres / 25.4 * 300.0).abs() <= 1.0, "{}", picture.width());
        let pixels = picture.pixels();
        let inked = pixels.iter().filter(|pixel| pixel.red() < 200 || pixel.blue() < 200).count() as f64;
        let share = inked / pixels.len() as f64;
        assert!((0.005..0.6).contains(&share), "{kind}: {share} of the picture is inked");
        // White all round: nothing is cut at the edge of the page.
        let (width, height) = (picture.width(), picture.height());
        let white = |x, y| picture.pixel(x, y).unwrap().red() > 250;
        let (bottom, right) = (height - 1, width - 1);
        assert!((0..width).all(|x| white(x, 0) && white(x, bottom)), "{kind}");
        assert!((0..height).all(|y| white(0, y) && white(right, y)), "{kind}");
    }
}

/// A picture as shares of ink, averaged over squares of `side` pixels.
fn coarse(picture: &Pixmap, side: u32) -> Vec<f64> {
    let mut squares = Vec::new();
    for top in (0..picture.height()).step_by(side as usize) {
        for left in (0..picture.width()).step_by(side as usize) {
            let (right, bottom) = ((left + side).min(picture.width()), (top + side).min(picture.height()));
            let values = (top..bottom).flat_map(|y| (left..right).map(move |x| (x, y)));
            let ink = |(x, y)| {
                let pixel = picture.pixel(x, y).unwrap();
                255.0 - f64::from(u16::from(pixel.red()) + u16::from(pixel.green()) + u16::from(pixel.blue())) / 3.0
            };
            let area = f64::from((right - left) * (bottom - top));
            squares.push(values.map(ink).sum::<f64>() / area / 255.0);
        }
    }
    squares
}

/// The PNG shows what its SVG says: the golden SVG, drawn here at another resolution, has the same ink in the same
/// places but for the blur of the edges.
#[test]
fn pngs_show_their_golden_svgs() {
    let mut database = resvg::usvg::fontdb::Database::new();
    for name in ["Regular", "Italic"] {
        database.load_font_data(fs::read(format!("plots/fonts/Arimo-{name}.subset.ttf")).unwrap());
    }
    let fonts = std::sync::Arc::new(database);
    for kind in Kind::ALL {
        let out = tempfile::tempdir().unwrap();
        let mut style = Style::bundled();
        style.png.dpi = 192.0;
        let files = figure::draw(kind, &fixture(), &style, &[Format::Png], out.path()).unwrap();
        let shown = Pixmap::decode_png(&fs::read(&files[0]).unwrap()).unwrap();
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{kind}.svg"));
        let svg = fs::read_to_string(golden).unwrap();
        let options = resvg::usvg::Options { fontdb: fonts.clone(), dpi: 96.0, ..Default::default() };
        let tree = resvg::usvg::Tree::from_str(&svg, &options).unwrap();
        let (width, height) = (shown.width(), shown.height());
        let mut twice = Pixmap::new(2 * width, 2 * height).unwrap();
        twice.fill(resvg::tiny_skia::Color::WHITE);
        let scale = resvg::tiny_skia::Transform::from_scale(4.0, 4.0);
        resvg::render(&tree, scale, &mut twice.as_mut());
        let (one, other) = (coarse(&shown, 4), coarse(&twice, 8));
        assert_eq!(one.len(), other.len(), "{kind}");
        let differences: Vec<f64> = one.iter().zip(&other).map(|(one, other)| (one - other).abs()).collect();
        let mean = differences.iter().sum::<f64>() / differences.len() as f64;
        let largest = differences.iter().copied().fold(0.0, f64::max);
        assert!(mean < 0.004 && largest < 0.2, "{kind}: mean {mean}, largest {largest}");
    }
}

#[test]
fn every_preset_draws_every_figure_within_its_page() {
    let out = tempfile::tempdir().unwrap();
    let bundled = Style::bundled();
    for name in bundled.presets.keys() {
        let mut style = bundled.clone().with_preset(name).unwrap();
        style.png.dpi = 40.0;
        let dark = name == "dark";
        for kind in Kind::ALL {
            let files = figure::draw(kind, &fixture(), &style, &[Format::Svg, Format::Png], out.path()).unwrap();
            let picture = Pixmap::decode_png(&fs::read(&files[1]).unwrap()).unwrap();
            let corner = picture.pixel(0, 0).unwrap().red();
            assert_eq!(corner < 60, dark, "{name} {kind}");
            let svg = fs::read_to_string(&files[0]).unwrap();
            let width = bundled.preset(name).unwrap().width_mm;
            let head: String = svg.chars().take(40).collect();
            let written: f64 = head.split('"').nth(1).unwrap().trim_end_matches("mm").parse().unwrap();
            assert!((written - width).abs() < 0.05, "{name} {kind}: {written}");
        }
    }
}

/// The streams of a PDF, inflated.
fn streams(pdf: &[u8]) -> Vec<Vec<u8>> {
    let find = |from: usize, what: &[u8]| pdf[from..].windows(what.len()).position(|w| w == what).map(|at| from + at);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = find(at, b"\nstream\n") {
        let start = start + b"\nstream\n".len();
        let end = find(start, b"endstream").unwrap();
        let mut inflated = Vec::new();
        if flate2::read::ZlibDecoder::new(&pdf[start..end]).read_to_end(&mut inflated).is_ok() {
            found.push(inflated);
        }
        at = end;
    }
    found
}

#[test]
fn pdfs_hold_text_in_the_bundled_font() {
    let out = tempfile::tempdir().unwrap();
    let files = draw(Kind::OrderParameter, &fixture(), &[Format::Pdf], out.path()).unwrap();
    let bytes = fs::read(&files[0]).unwrap();
    assert!(bytes.starts_with(b"%PDF-"));
    let raw = String::from_utf8_lossy(&bytes);
    assert!(raw.contains("+Arimo"), "no embedded Arimo");
    assert!(raw.contains("/ToUnicode"));
    // 86 mm in points.
    let media = raw.split("/MediaBox").nth(1).unwrap().split(']').next().unwrap();
    assert!(media.contains("243.7"), "{media}");
    let shown = |stream: &Vec<u8>| stream.windows(3).any(|three| three == b" TJ" || three == b" Tj");
    assert!(streams(&bytes).iter().any(shown), "no text is shown");
    // The letters can be copied and searched: chi and infinity are in the maps to Unicode.
    for letter in ["<03C7>", "<221E>"] {
        assert!(raw.contains(letter), "{letter}");
    }
}

#[test]
fn every_letter_is_in_the_bundled_font() {
    let mut database = resvg::usvg::fontdb::Database::new();
    for name in ["Regular", "Italic"] {
        database.load_font_data(fs::read(format!("plots/fonts/Arimo-{name}.subset.ttf")).unwrap());
    }
    let fonts = std::sync::Arc::new(database);
    let strict = svg2pdf::ConversionOptions { pdfa: true, ..Default::default() };
    for kind in Kind::ALL {
        let svg = drawn_svg(kind, &fixture()).unwrap();
        let options = resvg::usvg::Options { fontdb: fonts.clone(), ..Default::default() };
        let tree = resvg::usvg::Tree::from_str(&svg, &options).unwrap();
        svg2pdf::to_pdf(&tree, strict, svg2pdf::PageOptions::default())
            .unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
}

#[test]
fn the_drawn_table_has_means_and_standard_errors() {
    let out = tempfile::tempdir().unwrap();
    let files = draw(Kind::OrderParameter, &fixture(), &[Format::Svg], out.path()).unwrap();
    let drawn = prunephase::table::Table::read(files.last().unwrap()).unwrap();
    assert_eq!(drawn.columns(), ["panel", "quantity", "series", "x", "y", "low", "high", "n"]);
    // By hand from the fixture: m of width 8, whose cells of seed 4 are empty, level by level.
    let levels = prunephase::table::Table::read(&fixture().join("tables/levels.csv")).unwrap();
    let (width, level) = (levels.numbers("width").unwrap(), levels.numbers("level").unwrap());
    let m = levels.optional_numbers("m").unwrap();
    let mut by_level: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    for row in (0..levels.rows()).filter(|&row| width[row] == 8.0) {
        by_level.entry(-level[row] as i64).or_default().extend(m[row]);
    }
    let (quantity, series) = (drawn.texts("quantity").unwrap(), drawn.texts("series").unwrap());
    let rows: Vec<usize> =
        (0..drawn.rows()).filter(|&row| quantity[row] == "m" && series[row].ends_with("W=8")).collect();
    assert_eq!(rows.len(), 16);
    let column = |name| drawn.numbers(name).unwrap();
    let (y, low, high, n) = (column("y"), column("low"), column("high"), column("n"));
    for (&row, values) in rows.iter().zip(by_level.values()) {
        assert_eq!((n[row], values.len()), (4.0, 4));
        let mean = values.iter().sum::<f64>() / 4.0;
        let error = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 3.0).sqrt() / 2.0;
        assert!((y[row] - mean).abs() < 1e-12, "{} {mean}", y[row]);
        assert!((high[row] - mean - error).abs() < 1e-12 && (mean - low[row] - error).abs() < 1e-12);
    }
}

#[test]
fn unreliable_fits_say_so_and_reliable_ones_do_not() {
    let says =
        |kind, source: &Path| texts(&drawn_svg(kind, source).unwrap()).iter().any(|t| t.starts_with("unreliable"));
    assert!(says(Kind::Collapse, &fixture()));
    assert!(!says(Kind::Scaling, &fixture()));
    let folder = tempfile::tempdir().unwrap();
    copy_of_fixture(folder.path());
    for (name, from, to) in [("fit", "true", "false"), ("collapse", "false", "true")] {
        let path = folder.path().join(format!("fits/{name}.json"));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(&format!("\"reliable\": {from}"), &format!("\"reliable\": {to}"))).unwrap();
    }
    assert!(says(Kind::Scaling, folder.path()));
    assert!(!says(Kind::Collapse, folder.path()));
}

#[test]
fn a_failed_fit_is_missing_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    copy_of_fixture(folder.path());
    fs::write(folder.path().join("fits/fit.json"), r#"{"failed": "too few points"}"#).unwrap();
    fs::write(folder.path().join("fits/collapse.json"), r#"{"failed": "one size"}"#).unwrap();
    fs::remove_file(folder.path().join("tables/collapse.csv")).unwrap();
    let missing: Vec<Option<String>> =
        figure::available(folder.path()).into_iter().map(|figure| figure.missing).collect();
    let of = |kind: Kind| missing[Kind::ALL.iter().position(|other| *other == kind).unwrap()].as_deref();
    assert_eq!(of(Kind::OrderParameter), None);
    for kind in [Kind::Scaling, Kind::Rivals] {
        assert_eq!(of(kind), Some("fits/fit.json: the fit failed: too few points"));
    }
    for kind in [Kind::Collapse, Kind::Landscape] {
        assert_eq!(of(kind), Some("fits/collapse.json: the fit failed: one size"));
    }
    assert_eq!(of(Kind::Retraining), None);
}

#[test]
fn of_several_sizes_the_one_of_the_fit_is_drawn_and_residuals_are_in_errors() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // As `fit --out` leaves them: both in one folder, all sizes in one table, the largest in the JSON.
    let text = fs::read_to_string(fixture().join("tables/fit.csv")).unwrap();
    let mut lines = text.lines();
    let mut table = format!("size,{}\n", lines.next().unwrap());
    for line in lines {
        table += &format!("8,{line}\n");
    }
    table += "32,0.1,0.5,0.1,power_law,0.3,2.0,1\n32,0.2,0.6,0.1,power_law,0.65,-0.5,1\n";
    fs::write(folder.path().join("fit.csv"), table).unwrap();
    let json = fs::read_to_string(fixture().join("fits/fit.json")).unwrap();
    let json = json.replace("\"reliable\": true", "\"reliable\": true, \"size\": 32.0");
    // A rival without a number does not matter.
    let json = json.replace("\"centre\": {", "\"scale\": {\"value\": null}, \"centre\": {");
    fs::write(folder.path().join("fit.json"), json).unwrap();
    let files = draw(Kind::Scaling, folder.path(), &[Format::Svg], out.path()).unwrap();
    let drawn = prunephase::table::Table::read(files.last().unwrap()).unwrap();
    let quantity = drawn.texts("quantity").unwrap();
    let y = drawn.numbers("y").unwrap();
    let of = |name: &str| -> Vec<f64> { (0..y.len()).filter(|&row| quantity[row] == name).map(|row| y[row]).collect() };
    assert_eq!(of("value"), [0.5, 0.6]);
    assert_eq!(of("fitted"), [0.3, 0.65]);
    let residuals = of("residual");
    assert!((residuals[0] - 2.0).abs() < 1e-12 && (residuals[1] + 0.5).abs() < 1e-12, "{residuals:?}");
}

/// A run with so many widths and seeds, with zeros, empty cells and a density of zero.
fn odd_run(folder: &Path, widths: usize, seeds: usize) {
    let mut levels =
        String::from("dataset,architecture,width,seed,level,density,m,prediction_entropy,outcome_entropy\n");
    let mut percolation = String::from("dataset,architecture,width,seed,level,density,p_inf,chi,outputs_reached\n");
    for width in (0..widths).map(|width| 4 << width) {
        for seed in 0..seeds {
            for level in 0..6 {
                let density = if level == 5 { 0.0 } else { 0.3f64.powi(level) };
                let m = if level == 2 { String::new() } else { (density * 1.1).to_string() };
                levels += &format!("d,fc4,{width},{seed},{level},{density},{m},0,2.3\n");
                percolation += &format!("d,fc4,{width},{seed},{level},{density},{density},0,0\n");
            }
        }
    }
    fs::create_dir_all(folder.join("tables")).unwrap();
    fs::write(folder.join("tables/levels.csv"), levels).unwrap();
    fs::write(folder.join("tables/percolation.csv"), percolation).unwrap();
}

#[test]
fn one_to_six_widths_with_zeros_and_empty_cells_are_drawn_and_seven_refused() {
    for widths in 1..=7 {
        for seeds in [1, 2] {
            let folder = tempfile::tempdir().unwrap();
            odd_run(folder.path(), widths, seeds);
            let drawn = drawn_svg(Kind::OrderParameter, folder.path());
            if widths == 7 {
                assert!(drawn.unwrap_err().contains("7 curves, but the style tells only 6 apart"));
                continue;
            }
            let svg = drawn.unwrap();
            assert_eq!(texts(&svg).iter().filter(|text| *text == "W").count(), widths);
            assert!(!svg.contains("NaN") && !svg.contains("inf\""), "a number that is none");
        }
    }
}

#[test]
fn one_seed_has_no_error_bars() {
    let folder = tempfile::tempdir().unwrap();
    odd_run(folder.path(), 1, 1);
    let out = tempfile::tempdir().unwrap();
    let files = draw(Kind::OrderParameter, folder.path(), &[Format::Svg], out.path()).unwrap();
    let drawn = prunephase::table::Table::read(files.last().unwrap()).unwrap();
    assert!(drawn.optional_numbers("low").unwrap().iter().all(Option::is_none));
    assert!(drawn.numbers("n").unwrap().iter().all(|&n| n == 1.0));
}

#[test]
fn values_of_any_size_are_drawn() {
    for (chi, density) in [(1e300, 1e-300), (1.7e308, 0.5), (5e-324, 1e-5), (-1e9, 1.0), (1e5, 1e300)] {
        let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = folder.path().join("t.csv");
        let mut text = String::from("checkpoint,realisation,edges,density,p_inf,chi,outputs_reached\n");
        for realisation in 0..2 {
            for step in 1..4 {
                let share = f64::from(step) / 4.0;
                text += &format!("x,{realisation},{step},{},0.5,{},{step}\n", density * share, chi * share);
            }
        }
        fs::write(&path, text).unwrap();
        draw(Kind::OrderParameter, &path, &Format::ALL, out.path()).unwrap_or_else(|error| panic!("{chi}: {error}"));
    }
}

#[test]
fn curves_of_percolate_are_drawn_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("curves.csv");
    let mut text = String::from("checkpoint,order,realisation,edges,density,p_inf,chi,outputs_reached\n");
    for realisation in 0..3 {
        for step in 1..100 {
            let density = f64::from(step) / 100.0;
            text += &format!("a/net_1.safetensors,magnitude,{realisation},{step},{density},{density},0.1,10\n");
        }
    }
    fs::write(&path, text).unwrap();
    let all = texts(&drawn_svg(Kind::OrderParameter, &path).unwrap());
    // A name from a table is no markup: its underscore stays.
    assert!(all.contains(&"net_1".to_owned()), "{all:?}");
    assert!(!all.contains(&"entropy (nats)".to_owned()));
    assert!(draw(Kind::Retraining, &path, &[Format::Svg], folder.path()).unwrap_err().contains("no column"));
}

#[test]
fn damaged_tables_are_named_with_their_line_and_nothing_is_written() {
    let damage: [(Kind, &str, &str, &str, &str); 14] = [
        (Kind::Susceptibility, "fits/peaks.json", "\"control\": 0", "\"control\": \"0", "fits/peaks.json"),
        (Kind::Susceptibility, "tables/peaks-curves.csv", "size,", "sizes,", "no column `size`"),
        (Kind::Crossings, "fits/crossings.json", "\"crossings\"", "\"none\"", "holds no crossing"),
        (Kind::Shift, "fits/peaks.json", "\"peaks\"", "\"none\"", "holds no peak"),
        (Kind::ClusterNumbers, "fits/tail.json", "\"tau\"", "\"theta\"", "tau"),
        (Kind::Landscape, "tables/collapse_landscape.csv", "0.010333", "x", "column `p_c`: `x`"),
        (Kind::Degrees, "tables/degrees.csv", "in,", "in,x", "column `degree`"),
        (Kind::Network, "graph.json", "\"source\": 0,", "\"source\": 9999,", "an edge leads nowhere"),
        (
            Kind::OrderParameter,
            "tables/levels.csv",
            "synthetic,fc4,8,0,0,1.0",
            "synthetic,fc4,8,0,0,x",
            "line 2, column `density`: `x`",
        ),
        (Kind::OrderParameter, "tables/percolation.csv", "p_inf", "q_inf", "no column `p_inf`"),
        (Kind::Retraining, "tables/retraining.csv", "original,kept,0,0,", "original,kept,0,0,0,", "not a CSV table"),
        (Kind::Scaling, "tables/fit.csv", "true", "yes", "`yes` is neither true nor false"),
        (Kind::Scaling, "fits/fit.json", "\"p_c\"", "\"q_c\"", "no p_c"),
        (Kind::Collapse, "fits/collapse.json", "{", "[", "fits/collapse.json"),
    ];
    for (kind, name, from, to, expected) in damage {
        let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        copy_of_fixture(folder.path());
        let path = folder.path().join(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{name} has no {from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = draw(kind, folder.path(), &Format::ALL, out.path()).unwrap_err();
        assert!(error.contains(expected) && error.contains(name), "{error}");
        assert!(!error.contains('\n'), "{error}");
        assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0, "{name}");
    }
}
