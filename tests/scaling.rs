//! `prunephase fit` and `prunephase collapse`.

use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;
use prunephase::seed::Seeds;
use serde_json::Value;

/// Runs prunephase and gives its exit code, standard output and standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = cargo_bin_cmd!("prunephase").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A table of an order parameter with p_c = 0.2, 1/nu = 0.7, beta/nu = 0.2, six replicates.
fn write_table(path: &Path, sizes: &[f64]) {
    let mut stream = Seeds::new(1, 0).stream("table");
    let mut text = String::from("width,density,seed,m\n");
    for &size in sizes {
        for seed in 0..6 {
            for step in 0..28 {
                let density = 0.04 + 0.32 * f64::from(step) / 27.0;
                let x = (density - 0.2) * size.powf(0.7);
                let m = size.powf(-0.2) / (1.0 + (-1.5 * x).exp()) + 0.005 * stream.normal();
                text.push_str(&format!("{size},{density},{seed},{m}\n"));
            }
        }
    }
    std::fs::write(path, text).unwrap();
}

const COLUMNS: [&str; 6] = ["--control", "density", "--value", "m", "--replicate", "seed"];

fn call(name: &str, path: &str, more: &[&str]) -> (i32, String, String) {
    let mut arguments = vec![name, path];
    arguments.extend(COLUMNS);
    arguments.extend(more);
    run(&arguments)
}

fn is_estimate(value: &Value) -> bool {
    let pair = |key: &str| value[key].as_array().is_some_and(|pair| pair.len() == 2);
    ["value", "statistical", "systematic"].iter().all(|key| value[key].is_f64())
        && pair("interval68")
        && pair("interval95")
}

/// m and chi with one p_c = 0.2 and 1/nu = 0.7, beta/nu = 0.2, gamma/nu = 1.2, errors given.
fn write_two(path: &Path) {
    let mut stream = Seeds::new(2, 0).stream("two");
    let mut text = String::from("width,density,m,m_error,chi,chi_error\n");
    for size in [16.0f64, 32.0, 64.0, 128.0] {
        for step in 0..28 {
            let density = 0.2 + (f64::from(step) - 13.5) / 9.0 * size.powf(-0.7);
            let x = (density - 0.2) * size.powf(0.7);
            let m = size.powf(-0.2) * (1.0 + 0.4 * (16.0 / size)) * (1.0 + x.tanh());
            let chi = size.powf(1.2) / (1.0 + x * x);
            let noisy = |value: f64, error: f64, stream: &mut prunephase::seed::Stream| value + error * stream.normal();
            let (m_error, chi_error) = (0.005 * m, 0.005 * chi);
            let (m, chi) = (noisy(m, m_error, &mut stream), noisy(chi, chi_error, &mut stream));
            text.push_str(&format!("{size},{density},{m},{m_error},{chi},{chi_error}\n"));
        }
    }
    std::fs::write(path, text).unwrap();
}

#[test]
fn several_observables_share_p_c_and_nu() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("two.csv");
    write_two(&path);
    let (table, out) = (path.to_str().unwrap(), folder.path().join("out"));
    let call = |more: &[&str]| {
        let both = ["--value", "m", "--error", "m_error", "--value", "chi", "--error", "chi_error"];
        let start = ["collapse", table, "--size", "width", "--control", "density", "--window=-1,1"];
        run(&[&start[..], &both, more].concat())
    };
    let more = ["--correction", "factor", "--omega", "1", "--json", "--out", out.to_str().unwrap()];
    let (code, text, err) = call(&more);
    assert_eq!((code, err.as_str()), (0, ""), "{text}");
    let json: Value = serde_json::from_str(&text).unwrap();
    let kappas = [&json["observables"][0]["kappa_over_nu"], &json["observables"][1]["kappa_over_nu"]];
    assert_eq!(*kappas[0], json["kappa_over_nu"]);
    for (estimate, truth) in [(&json["p_c"], 0.2), (&json["inv_nu"], 0.7), (kappas[0], 0.2), (kappas[1], -1.2)] {
        assert!(is_estimate(estimate), "{estimate}");
        let interval = |end: usize| estimate["interval95"][end].as_f64().unwrap();
        assert!(interval(0) < truth && truth < interval(1), "{estimate} {truth}");
    }
    let b = &json["amplitudes"][0];
    assert_eq!(b["name"], "b m");
    let distance = (b["value"].as_f64().unwrap() - 0.4).abs();
    assert!(distance < 4.0 * b["statistical"].as_f64().unwrap(), "{b}");
    assert_eq!(json["covariance"].as_array().unwrap().len(), json["parameters"].as_array().unwrap().len());
    let saved = std::fs::read_to_string(out.join("collapse.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&saved).unwrap(), json);
    let points = std::fs::read_to_string(out.join("collapse.csv")).unwrap();
    let header = "observable,size,control,value,error,x,y,y_error,master,residual";
    assert_eq!(points.lines().next().unwrap(), header);
    assert_eq!(points.lines().count() as u64, 1 + json["points"].as_u64().unwrap());
    assert_eq!(call(&more).1, text);
    // Each observable can be drawn.
    for name in ["m", "chi"] {
        let (own, figures) = (out.join(name), folder.path().join("figures"));
        let draw = ["plot", own.to_str().unwrap(), "--figure", "collapse", "--format", "svg", "--out"];
        let (code, said, err) = run(&[&draw[..], &[figures.to_str().unwrap()]].concat());
        assert_eq!((code, err.as_str()), (0, ""), "{said}");
        let drawn = std::fs::read_to_string(figures.join("collapse.svg")).unwrap();
        assert!(drawn.contains("master curve"), "{name}");
    }
    // The table for people, and what does not go together.
    let (_, text, _) = call(&["--correction", "factor", "--omega", "1"]);
    for word in ["kappa/nu m", "kappa/nu chi", "b m =", "b chi =", "chi-square"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    for (more, word) in [
        (vec!["--objective", "gaussian-process"], "least squares"),
        (vec!["--omega", "-1"], "omega -1"),
        (vec!["--error", "m_error"], "3 --error columns for 2 --value columns"),
    ] {
        let (code, out, err) = call(&more);
        assert_eq!((code, out.as_str(), err.lines().count()), (1, "", 1), "{err}");
        assert!(err.contains(word), "{err}");
    }
    let alone = ["collapse", table, "--size", "width", "--control", "density", "--value", "m", "--error", "m_error"];
    let (code, _, err) = run(&[&alone[..], &["--omega", "1"]].concat());
    assert!(code == 1 && err.contains("--correction"), "{err}");
}

#[test]
fn collapse_has_the_keys_of_the_contract_and_saves() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("levels.csv");
    write_table(&table, &[16.0, 32.0, 64.0]);
    let (table, out) = (table.to_str().unwrap(), folder.path().join("out"));
    let more = ["--size", "width", "--bootstrap", "50", "--json", "--out", out.to_str().unwrap()];
    let (code, text, err) = call("collapse", table, &more);
    assert_eq!((code, err.as_str()), (0, ""), "{text}");
    assert_eq!(text.lines().count(), 1);
    let json: Value = serde_json::from_str(&text).unwrap();
    for (key, truth) in [("p_c", 0.2), ("inv_nu", 0.7), ("kappa_over_nu", 0.2)] {
        let estimate = &json[key];
        assert!(is_estimate(estimate), "{key}: {estimate}");
        let interval = |end: usize| estimate["interval95"][end].as_f64().unwrap();
        assert!(interval(0) < truth && truth < interval(1), "{key}: {estimate}");
    }
    assert_eq!(json["reliable"], true);
    for key in ["quality", "points", "starts", "reached"] {
        assert!(json[key].is_number(), "{key}");
    }
    // The same from the file, and the same bytes again.
    let saved = std::fs::read_to_string(out.join("collapse.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&saved).unwrap(), json);
    let points = std::fs::read_to_string(out.join("collapse.csv")).unwrap();
    assert_eq!(points.lines().next().unwrap(), "size,control,value,error,x,y,y_error,used,master,residual");
    assert_eq!(points.lines().count(), 1 + 3 * 28);
    assert_eq!(call("collapse", table, &more).1, text);
    // The table for people shows both errors and the verdict.
    let (code, text, _) = call("collapse", table, &["--size", "width", "--window", "-1,1", "--bootstrap", "20"]);
    assert_eq!(code, 0, "{text}");
    for word in ["statistical", "systematic", "quality S", "window -1 to 1 in x (given)", "collapse: reliable"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn an_unreliable_collapse_is_printed_and_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("noise.csv");
    let mut stream = Seeds::new(2, 0).stream("noise");
    let mut text = String::from("L,p,y,dy\n");
    for size in [8, 16, 32] {
        for step in 0..20 {
            text.push_str(&format!("{size},{},{},1\n", f64::from(step) / 20.0, stream.normal()));
        }
    }
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let arguments =
        ["collapse", path, "--size", "L", "--control", "p", "--value", "y", "--error", "dy", "--bootstrap", "20"];
    let (code, text, err) = run(&arguments);
    assert_eq!(code, 1);
    if err.is_empty() {
        assert!(text.contains("NOT RELIABLE\n  - "), "{text}");
        let (code, text, _) = run(&[&arguments[..], &["--json"]].concat());
        let json: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((code, &json["reliable"]), (1, &Value::Bool(false)));
        assert!(!json["reasons"].as_array().unwrap().is_empty());
    } else {
        assert!(err.contains("no collapse found"), "{err}");
    }
}

#[test]
fn fit_has_the_keys_of_the_contract_and_saves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("levels.csv");
    write_table(&path, &[32.0, 64.0]);
    let (path, out) = (path.to_str().unwrap(), folder.path().join("out"));
    let more = ["--size", "width", "--bootstrap", "30", "--json", "--out", out.to_str().unwrap()];
    let (code, text, err) = call("fit", path, &more);
    assert_eq!(err, "");
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(code, if json["sizes"].as_array().unwrap().iter().all(|one| one["reliable"] == true) { 0 } else { 1 });
    let names: Vec<&str> = json["models"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["power_law", "logistic", "rosenfeld", "essential_singularity", "jump"]);
    assert!(names.contains(&json["best"].as_str().unwrap()));
    for model in json["models"].as_array().unwrap() {
        assert!(model["aicc"].is_number() && model["weight"].is_number() && model["reliable"].is_boolean());
        assert!(model["parameters"].as_object().unwrap().values().all(is_estimate), "{model}");
    }
    for key in ["p_c", "beta", "amplitude"] {
        assert!(json["models"][0]["parameters"].get(key).is_some(), "{key}");
    }
    // The top is the largest size.
    assert_eq!(json["sizes"][1]["models"], json["models"]);
    assert_eq!(json["size"], 64.0);
    assert_eq!(serde_json::from_str::<Value>(&std::fs::read_to_string(out.join("fit.json")).unwrap()).unwrap(), json);
    let points = std::fs::read_to_string(out.join("fit.csv")).unwrap();
    assert_eq!(points.lines().next().unwrap(), "size,control,value,error,model,fitted,residual,used");
    assert_eq!(points.lines().count(), 1 + 2 * 5 * 28);
    assert_eq!(call("fit", path, &more).1, text);
    // People see both errors, one law, one size.
    let (_, text, _) = call("fit", path, &["--size", "width", "--models", "power_law", "--bootstrap", "20"]);
    assert!(text.contains("width = 32") && text.contains("systematic") && text.contains("power_law:"), "{text}");
    assert!(!text.contains("logistic"), "{text}");
}

/// As in the tables of runs: a level that keeps as many weights as the one before, and a replicate without m.
#[test]
fn of_levels_that_keep_as_many_weights_the_first_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    write_table(&path, &[32.0]);
    let text = std::fs::read_to_string(&path).unwrap();
    let named = |levels: &str, more: &str| {
        let rows = text.lines().skip(1).map(|row| format!("{row},{levels}\n")).collect::<String>();
        std::fs::write(&path, format!("width,density,seed,m,level\n{rows}{more}")).unwrap();
        call("fit", path.to_str().unwrap(), &["--models", "power_law", "--bootstrap", "10", "--json"])
    };
    let (code, fitted, err) = named("1", "");
    assert_eq!(err, "");
    assert_eq!(named("1", "32,0.04,0,0.9,2\n32,0.04,1,0.9,2\n32,0.2,nine,,0\n"), (code, fitted, String::new()));
}

#[test]
fn bad_input_is_one_line_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = folder.path().join("good.csv");
    write_table(&good, &[32.0]);
    let good = good.to_str().unwrap().to_owned();
    let nan = file("nan.csv", "width,density,seed,m\n8,0.1,0,NaN\n8,0.1,1,0.3\n");
    let single = file("single.csv", "width,density,seed,m\n8,0.1,0,0.2\n8,0.2,0,0.3\n");
    let few = file("few.csv", "width,density,seed,m\n8,0.1,0,0.2\n8,0.1,1,0.3\n9,0.1,0,0.2\n9,0.1,1,0.3\n");
    let out = folder.path().join("out");
    let refused = |name: &str, path: &str, more: &[&str], expected: &[&str]| {
        let more = [more, &["--out", out.to_str().unwrap()]].concat();
        let (code, text, err) = call(name, path, &more);
        assert_eq!((code, text.as_str()), (1, ""), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
        assert!(err.starts_with("prunephase: "), "{err}");
        for word in expected {
            assert!(err.contains(word), "{word}: {err}");
        }
        assert!(!out.exists());
    };
    let size: &[&str] = &["--size", "width"];
    refused("collapse", &good, &["--size", "L"], &["good.csv", "no column `L`", "width"]);
    refused("fit", &good, &["--error", "dm"], &["good.csv", "no column `dm`"]);
    refused("collapse", &good, size, &["good.csv", "1 size", "at least 2"]);
    refused("collapse", &nan, size, &["nan.csv", "line 2", "NaN"]);
    refused("fit", &nan, &[], &["nan.csv", "line 2", "NaN"]);
    refused("fit", &single, &[], &["single.csv", "1 replicate", "at least 2"]);
    refused("collapse", &few, size, &["few.csv", "size 8", "1 points, at least 5"]);
    refused("fit", &few, size, &["few.csv", "size 8", "0 points, at least 6"]);
    refused("fit", &few, &[], &["few.csv", "more than once"]);
    refused("collapse", &good, &["--size", "width", "--bootstrap", "3"], &["bootstrap 3", "at least 10"]);
    refused("fit", "/nowhere/a.csv", &[], &["/nowhere/a.csv"]);
    // Wrong usage is clap's.
    for more in [&["--models", "cubic"][..], &["--range", "2,1"], &["--range", "a,b"]] {
        assert_eq!(call("fit", &good, more).0, 2, "{more:?}");
    }
    assert_eq!(call("collapse", &good, &["--size", "width", "--window", "1"]).0, 2);
}
