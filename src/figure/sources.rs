//! Which files a figure is drawn from, or what is missing.

use std::path::Path;

use super::error::FigureError;
use super::input::Found;
use super::kind::Kind;

/// The files of a figure: all that it needs are there.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sources {
    pub levels: Option<Found>,
    pub percolation: Option<Found>,
    /// The figure's own table.
    pub table: Option<Found>,
    /// The JSON that belongs to the table.
    pub fit: Option<Found>,
    /// A second table.
    pub more: Option<Found>,
}

impl Sources {
    /// The table and the JSON of a figure of a fit.
    pub fn fitted(&self, kind: Kind) -> Result<(&Found, &Found), FigureError> {
        let missing = || FigureError::Missing { figure: kind.name(), missing: "no table or no fit".into() };
        self.table.as_ref().zip(self.fit.as_ref()).ok_or_else(missing)
    }

    /// The table of a figure.
    pub fn one(&self, kind: Kind) -> Result<&Found, FigureError> {
        self.table.as_ref().ok_or_else(|| FigureError::Missing { figure: kind.name(), missing: "no table".into() })
    }
}

/// What is missing, in one line.
pub(super) type Missing = String;

/// The name of the JSON of a fit and of its tables: those it needs, and one that it can do without.
struct Files {
    json: &'static str,
    tables: &'static [&'static str],
    optional: Option<&'static str>,
    /// What writes them.
    made_by: &'static str,
}

fn files_of(kind: Kind) -> Option<Files> {
    let files = |json, tables, optional, made_by| Some(Files { json, tables, optional, made_by });
    match kind {
        Kind::Scaling => files("fit", &["fit"], None, "fit --out"),
        Kind::Rivals => files("fit", &["fit"], Some("fit-laws"), "fit --out"),
        Kind::Collapse => files("collapse", &["collapse"], None, "collapse --out"),
        Kind::Landscape => files("collapse", &["collapse_landscape", "collapse_bootstrap"], None, "collapse --out"),
        Kind::Susceptibility => files("peaks", &["peaks-curves"], None, "fit --peaks --out"),
        Kind::Crossings => files("crossings", &["crossings-curves"], None, "fit --crossings --out"),
        Kind::ClusterNumbers => files("tail", &["tail"], None, "fit --tail --out"),
        _ => None,
    }
}

/// The files of a fit in a folder: a run has them in two folders; `--out` writes all into one.
fn fitted(kind: Kind, files: &Files, folder: &Path) -> Result<Sources, Missing> {
    let table = |place: &str, name: &str| Found::within(folder, &format!("{place}{name}.csv"));
    for (fits, tables) in [("fits/", "tables/"), ("", "")] {
        let fit = Found::within(folder, &format!("{fits}{}.json", files.json));
        // A fit that failed has no table: its own reason says more than the missing table.
        if let Some(Ok(Some(failure))) = fit.as_ref().map(Found::failure) {
            return Err(failure);
        }
        let found: Option<Vec<Found>> = files.tables.iter().map(|name| table(tables, name)).collect();
        if let (Some(fit), Some(found)) = (fit, found) {
            let mut found = found.into_iter();
            let (first, second) = (found.next(), found.next());
            let more = second.or_else(|| files.optional.and_then(|name| table(tables, name)));
            return Ok(Sources { table: first, fit: Some(fit), more, ..Sources::default() });
        }
    }
    let mut names = vec![format!("fits/{}.json", files.json)];
    names.extend(files.tables.iter().map(|name| format!("tables/{name}.csv")));
    names.retain(|name| !folder.join(name).is_file());
    let text = names.join(" and no ");
    let made_by = if matches!(kind, Kind::Scaling | Kind::Collapse) {
        String::new()
    } else {
        format!(", as `prunephase {}` writes them", files.made_by)
    };
    Err(format!("no {text} in {}{made_by}", folder.display()))
}

/// The files of a figure in a run folder, or what is missing.
fn in_folder(kind: Kind, folder: &Path) -> Result<Sources, Missing> {
    // A run has tables in a folder of their own; commands write them where they are told to.
    let places = |name: &str| [format!("tables/{name}"), name.to_owned()];
    let one_of = |name: &str| -> Result<Found, Missing> {
        let found = places(name).iter().find_map(|name| Found::within(folder, name));
        found.ok_or_else(|| format!("no tables/{name} or {name} in {}", folder.display()))
    };
    let alone = |name: &str| one_of(name).map(|table| Sources { table: Some(table), ..Sources::default() });
    match kind {
        Kind::OrderParameter => {
            let absent: Vec<&str> = ["tables/levels.csv", "tables/percolation.csv"]
                .into_iter()
                .filter(|name| {
                    let bare = name.trim_start_matches("tables/");
                    !folder.join(name).is_file() && !folder.join(bare).is_file()
                })
                .collect();
            if !absent.is_empty() {
                return Err(format!("no {} in {}", absent.join(" and no "), folder.display()));
            }
            let (levels, percolation) = (one_of("levels.csv")?, one_of("percolation.csv")?);
            Ok(Sources { levels: Some(levels), percolation: Some(percolation), ..Sources::default() })
        }
        Kind::WeightEvolution => Ok(Sources { levels: Some(one_of("levels.csv")?), ..Sources::default() }),
        Kind::PhaseDiagram => {
            let percolation = one_of("percolation.csv").ok();
            Ok(Sources { levels: Some(one_of("levels.csv")?), percolation, ..Sources::default() })
        }
        Kind::Retraining => alone("retraining.csv"),
        Kind::Ladder => alone("comparison.csv"),
        Kind::Degrees => alone("degrees.csv"),
        Kind::Network => alone("graph.json").map_err(|missing| {
            format!("{missing}, as `prunephase graph CKPT --format json` writes it at a density near p_c")
        }),
        Kind::Shift => {
            let found = ["peaks.json", "crossings.json"].into_iter().find_map(|name| {
                [format!("fits/{name}"), name.to_owned()].iter().find_map(|name| Found::within(folder, name))
            });
            let fit = found.ok_or_else(|| {
                format!(
                    "no fits/peaks.json and no fits/crossings.json in {}, as `prunephase fit --peaks --out` or \
                     `--crossings` writes them",
                    folder.display()
                )
            })?;
            Ok(Sources { fit: Some(fit), ..Sources::default() })
        }
        Kind::Susceptibility => {
            let curves = files_of(kind).ok_or_else(Missing::new).and_then(|files| fitted(kind, &files, folder));
            curves.or_else(|missing| match one_of("percolation.csv") {
                Ok(percolation) => Ok(Sources { percolation: Some(percolation), ..Sources::default() }),
                Err(also) => Err(format!("{missing}; {also}")),
            })
        }
        _ => match files_of(kind) {
            Some(files) => fitted(kind, &files, folder),
            None => Err(format!("nothing in {}", folder.display())),
        },
    }
}

/// The columns that tell a table of a figure.
fn columns_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::OrderParameter => &["density", "m", "prediction_entropy", "outcome_entropy"],
        Kind::WeightEvolution => &["density", "weight_distance", "weight_cosine", "sign_flips", "mask_overlap"],
        Kind::PhaseDiagram => &["width", "density", "m"],
        Kind::Scaling | Kind::Rivals => &["control", "value", "model", "fitted", "residual", "used"],
        Kind::Collapse => &["size", "control", "value", "x", "y", "used"],
        Kind::Landscape => &["p_c", "inv_nu", "quality"],
        Kind::Susceptibility | Kind::Crossings => &["size", "control", "value", "error"],
        Kind::Shift => &[],
        Kind::ClusterNumbers => &["low", "high", "count"],
        Kind::Degrees => &["checkpoint", "layer", "direction", "degree", "nodes"],
        Kind::Network => &[],
        Kind::Retraining => &["checkpoint", "density", "null", "weights", "accuracy"],
        Kind::Ladder => &["density", "null", "weights", "difference", "low95", "high95", "samples", "margin"],
    }
}

/// The columns of a percolation curve.
const PERCOLATION: [&str; 4] = ["density", "p_inf", "chi", "outputs_reached"];

/// The files of a figure that is drawn from one table, or what is missing.
fn of_table(kind: Kind, path: &Path) -> Result<Sources, Missing> {
    let found = Found::alone(path);
    if found.is_json() {
        let named = |end: &str| path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with(end));
        return match kind {
            Kind::Network if !named("peaks") && !named("crossings") => {
                Ok(Sources { table: Some(found), ..Sources::default() })
            }
            Kind::Shift if named("peaks") || named("crossings") => {
                Ok(Sources { fit: Some(found), ..Sources::default() })
            }
            _ => Err(format!("it is not drawn from {} alone", path.display())),
        };
    }
    let input = found.table().map_err(|error| error.to_string())?;
    if matches!(kind, Kind::Network | Kind::Shift) {
        return Err(format!("{} is no JSON", path.display()));
    }
    let absent = |columns: &[&str]| -> Vec<String> {
        columns.iter().filter(|column| !input.table.has(column)).map(|&column| column.to_owned()).collect()
    };
    if absent(&PERCOLATION).is_empty() {
        match kind {
            Kind::Susceptibility if !input.table.has("width") => {}
            Kind::OrderParameter | Kind::Susceptibility => {
                return Ok(Sources { percolation: Some(found), ..Sources::default() });
            }
            _ => {}
        }
    }
    let lacks = absent(columns_of(kind));
    if !lacks.is_empty() {
        return Err(format!("{} has no column {}", path.display(), lacks.join(", ")));
    }
    let Some(files) = files_of(kind) else {
        let of_levels = matches!(kind, Kind::OrderParameter | Kind::WeightEvolution | Kind::PhaseDiagram);
        return Ok(if of_levels {
            Sources { levels: Some(found), ..Sources::default() }
        } else {
            Sources { table: Some(found), ..Sources::default() }
        });
    };
    // The name may have a prefix or be the user's: what stands behind the name of the table is exchanged.
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let table = files.tables[0];
    let beside = |name: &str, extension: &str| {
        let prefix = stem.strip_suffix(table).map(|prefix| format!("{prefix}{name}"));
        path.with_file_name(format!("{}.{extension}", prefix.unwrap_or_else(|| stem.clone())))
    };
    let json = beside(files.json, "json");
    let of_run = path.parent().and_then(Path::parent).zip(json.file_name());
    let of_run = of_run.map(|(run, name)| run.join("fits").join(name));
    let fit = [Some(json.clone()), of_run].into_iter().flatten().find(|path| path.is_file());
    let fit = Found::alone(&fit.ok_or_else(|| format!("no {}", json.display()))?);
    if let Ok(Some(failure)) = fit.failure() {
        return Err(failure);
    }
    let second = files.tables.get(1).copied();
    let more = second.or(files.optional).map(|name| beside(name, "csv"));
    if let (Some(_), Some(path)) = (second, more.as_ref().filter(|path| !path.is_file())) {
        return Err(format!("no {}", path.display()));
    }
    let more = more.filter(|path| path.is_file() && path.file_stem() != Some(stem.as_ref()));
    Ok(Sources { table: Some(found), fit: Some(fit), more: more.map(|path| Found::alone(&path)), ..Sources::default() })
}

/// The files of a figure in a run folder or beside a table, or what is missing.
pub(super) fn sources(kind: Kind, path: &Path) -> Result<Sources, Missing> {
    if path.is_dir() {
        in_folder(kind, path)
    } else if path.is_file() {
        of_table(kind, path)
    } else {
        Err(format!("no file or folder {}", path.display()))
    }
}
