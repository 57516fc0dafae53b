//! The report: what it holds, and how a browser shows it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use assert_cmd::cargo::cargo_bin_cmd;
use serde_json::Value;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/figure/run")
}

fn report(run: &Path, out: &Path) -> (i32, String) {
    let output = cargo_bin_cmd!("prunephase").arg("report").arg(run).arg("--out").arg(out).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn it_holds_what_the_folder_says() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report.html");
    assert_eq!(report(&fixture(), &out), (0, String::new()));
    let page = fs::read_to_string(&out).unwrap();
    // Every figure of the fixture, and no script, style, font or image from elsewhere.
    for kind in prunephase::figure::Kind::ALL {
        assert!(page.contains(&format!("id=\"figure-{kind}\"")), "{kind}");
    }
    for (at, _) in page.match_indices("http") {
        assert!(
            page[at..].starts_with("http://www.w3.org/2000/svg") || page[at..].starts_with("http-equiv"),
            "{}",
            &page[at..at + 60]
        );
    }
    // The collapse's value with both errors, from its file.
    let fit: Value = serde_json::from_str(&fs::read_to_string(fixture().join("fits/collapse.json")).unwrap()).unwrap();
    for (parameter, row) in [("p_c", "0.01200"), ("inv_nu", "")] {
        assert!(fit[parameter]["value"].is_number());
        assert!(page.contains(&format!("<td data-label=\"parameter\">{parameter}</td>")) && page.contains(row));
    }
    // The same folder, the same bytes.
    let again = folder.path().join("again.html");
    report(&fixture(), &again);
    assert!(fs::read(&again).unwrap() == page.as_bytes());
}

#[test]
fn names_cannot_break_out_of_the_page() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    fs::create_dir_all(run.join("fits")).unwrap();
    fs::write(run.join("study.json"), r#"{"name": "<script>alert(1)</script>\" onload=\"x"}"#).unwrap();
    fs::write(run.join("fits/fit.json"), r#"{"failed": "<img src=x onerror=alert(1)>"}"#).unwrap();
    let out = folder.path().join("report.html");
    assert_eq!(report(&run, &out), (0, String::new()));
    let page = fs::read_to_string(&out).unwrap();
    assert!(!page.contains("<script>alert") && !page.contains("<img"));
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
}

#[test]
fn nothing_to_report_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report.html");
    let damaged = folder.path().join("damaged");
    fs::create_dir_all(damaged.join("fits")).unwrap();
    fs::write(damaged.join("fits/fit.json"), "{").unwrap();
    for (run, message) in [
        (folder.path().join("missing"), "no such folder; give a run folder"),
        (folder.path().to_path_buf(), "no tables and no fits here"),
        (damaged, "fit.json: not JSON"),
    ] {
        let (code, error) = report(&run, &out);
        assert_eq!((code, error.lines().count()), (1, 1), "{error}");
        assert!(error.starts_with("prunephase: ") && error.contains(message), "{error}");
        assert!(!out.exists());
    }
}

/// Before anything else in the page: every error, and everything that the page's policy refused.
const LISTEN: &str = "<script>window.errors = [];
addEventListener('error', event => errors.push(String(event.message || event.target)), true);
addEventListener('securitypolicyviolation', event => errors.push(event.violatedDirective));
console.error = (...all) => errors.push(all.join(' '));</script>";

/// Looks at the page in a frame as wide as a desktop, as a phone, and as a sheet of A4 between its margins with the
/// rules for paper, and leaves what it found as the text of the body.
const LOOK: &str = r#"
const look = async (width, text) => {
  const frame = document.createElement("iframe");
  frame.style.cssText = `width: ${width}px; height: 800px; border: 0`;
  const loaded = new Promise(done => frame.addEventListener("load", done));
  frame.srcdoc = text;
  document.body.append(frame);
  await loaded;
  const [view, page] = [frame.contentWindow, frame.contentDocument];
  await page.fonts.ready;
  const found = { width: view.innerWidth, wide: [], broken: [], tables: 0, unsorted: [], drawings: 0, silent: [] };
  for (const element of page.body.querySelectorAll("*")) {
    const box = element.getBoundingClientRect();
    if (box.width > 0 && (box.right > view.innerWidth + 1 || box.left < -1)) {
      found.wide.push(`${element.tagName}.${element.className.baseVal ?? element.className} ${box.left} ${box.right}`);
    }
  }
  // On paper no number is broken over two lines.
  for (const cell of width === 688 ? page.querySelectorAll("td") : []) {
    const range = page.createRange();
    range.selectNodeContents(cell);
    if (!/\s/.test(cell.textContent.trim()) && range.getClientRects().length > 1) found.broken.push(cell.textContent);
  }
  found.scroll = page.documentElement.scrollWidth;
  for (const table of page.querySelectorAll("table.sortable")) {
    found.tables += 1;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const values = () => [...table.tBodies[0].rows].map(row => row.cells[column].textContent.trim());
      const before = values().sort().join();
      for (const sign of [1, -1]) {
        head.querySelector("button").click();
        const now = values().filter(value => value !== "");
        const numbers = now.map(parseFloat);
        const right = now.every((_, at) => at === 0 || (numbers.some(Number.isNaN)
          ? sign * now[at - 1].localeCompare(now[at], "en") <= 0
          : sign * (numbers[at] - numbers[at - 1]) >= 0));
        const arrow = head.getAttribute("aria-sort") === (sign > 0 ? "ascending" : "descending");
        if (!right || !arrow || values().sort().join() !== before) found.unsorted.push(head.textContent);
      }
    });
  }
  const tip = page.getElementById("tip");
  for (const drawing of page.querySelectorAll(".drawing svg")) {
    if (drawing.getBoundingClientRect().width === 0) continue;
    found.drawings += 1;
    const spots = [...drawing.querySelectorAll(".spot")];
    const spot = spots[Math.floor(spots.length / 2)];
    if (!spot) continue;
    spot.scrollIntoView({ block: "center" });
    const box = spot.getBoundingClientRect();
    const at = { clientX: (box.left + box.right) / 2, clientY: (box.top + box.bottom) / 2, bubbles: true };
    spot.dispatchEvent(new view.PointerEvent("pointermove", at));
    // Points that coincide may speak for each other.
    const same = spots.filter(other => other.getAttribute("cx") === spot.getAttribute("cx") && other.getAttribute("cy") === spot.getAttribute("cy"));
    const edge = tip.getBoundingClientRect();
    const inside = edge.left >= 0 && edge.right <= view.innerWidth;
    if (tip.hidden || !same.some(other => other.dataset.v === tip.textContent) || !inside) found.silent.push(spot.dataset.v);
    drawing.dispatchEvent(new view.PointerEvent("pointerleave"));
    if (!tip.hidden) found.silent.push("does not go away");
  }
  found.errors = view.errors;
  found.requests = view.performance.getEntriesByType("resource").map(entry => entry.name).filter(name => !name.startsWith("data:"));
  frame.remove();
  return found;
};
(async () => {
  const found = [];
  for (const width of [1280, 390]) found.push(await look(width, PAGE));
  const paper = PAGE.replaceAll("@media print", "@media all").replaceAll("@media screen", "@media print");
  found.push(await look(688, paper));
  document.body.textContent = "FOUND" + JSON.stringify(found) + "END";
})().catch(error => { document.body.textContent = "FOUND" + JSON.stringify(String(error)) + "END"; });
"#;

fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).flat_map(|folder| names.map(|name| folder.join(name))).find(|path| path.is_file())
}

#[test]
fn a_browser_shows_it_on_a_desktop_on_a_phone_and_on_paper() {
    let Some(chromium) = chromium() else {
        eprintln!("skipped: no chromium on the PATH");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report.html");
    assert_eq!(report(&fixture(), &out).0, 0);
    let page = fs::read_to_string(&out).unwrap().replacen("<head>", &format!("<head>{LISTEN}"), 1);
    let text = serde_json::to_string(&page).unwrap().replace("</", "<\\/").replace("<!--", "<\\!--");
    let look = folder.path().join("look.html");
    fs::write(&look, format!("<!DOCTYPE html><meta charset=utf-8><body><script>const PAGE = {text};{LOOK}</script>"))
        .unwrap();
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"])
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--window-size=1400,1000"])
        .args(["--virtual-time-budget=60000", "--timeout=120000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", look.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let log = String::from_utf8_lossy(&output.stderr);
    let found = dom.rsplit_once("FOUND").and_then(|(_, rest)| rest.split_once("END")).map(|(found, _)| found);
    let found =
        found.unwrap_or_else(|| panic!("the page did not finish: {log}")).replace("&lt;", "<").replace("&gt;", ">");
    let found: Vec<Value> = serde_json::from_str(&found.replace("&amp;", "&")).unwrap_or_else(|_| panic!("{found}"));
    assert_eq!(found.len(), 3);
    for (found, width) in found.iter().zip([1280, 390, 688]) {
        assert_eq!(found["width"], width, "{found}");
        assert!(found["scroll"].as_u64().unwrap() <= width, "{found}");
        let paper = width == 688;
        for nothing in ["wide", "broken", "unsorted", "silent", "errors", "requests"] {
            // Nothing is pointed at on paper.
            if !(paper && nothing == "silent") {
                assert_eq!(found[nothing], serde_json::json!([]), "{nothing} at {width}");
            }
        }
        assert!(found["tables"].as_u64().unwrap() >= 2, "{found}");
        assert_eq!(found["drawings"], prunephase::figure::Kind::ALL.len(), "{found}");
    }
    assert!(!log.lines().any(|line| line.contains("CONSOLE")), "{log}");
}
