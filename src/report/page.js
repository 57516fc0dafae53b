"use strict";
// Tables sort by the column whose head is pressed: numbers by their value, everything else by its letters.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of heads) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = row => row.cells[column].textContent.trim();
    const order = (a, b) => {
      const [x, y] = [parseFloat(value(a)), parseFloat(value(b))];
      if (Number.isNaN(x) || Number.isNaN(y)) {
        // Empty cells stand last either way.
        if (value(a) === "" || value(b) === "") return ((value(a) === "") - (value(b) === "")) * (down ? -1 : 1);
        return value(a).localeCompare(value(b), "en");
      }
      return x - y;
    };
    const rows = [...table.tBodies[0].rows].sort((a, b) => (down ? -1 : 1) * order(a, b));
    table.tBodies[0].append(...rows);
  }));
}
// The point of a curve that is nearest to the pointer says its values.
const tip = document.getElementById("tip");
const middle = spot => {
  const box = spot.getBoundingClientRect();
  return [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
};
for (const drawing of document.querySelectorAll(".drawing svg")) {
  const spots = [...drawing.querySelectorAll(".spot")];
  const show = event => {
    let [nearest, best] = [null, 18];
    for (const spot of spots) {
      const [x, y] = middle(spot);
      const distance = Math.hypot(event.clientX - x, event.clientY - y);
      if (distance < best) [nearest, best] = [spot, distance];
    }
    tip.hidden = nearest === null;
    if (nearest === null) return;
    tip.textContent = nearest.dataset.v;
    const [x, y] = middle(nearest);
    const page = document.documentElement;
    tip.style.left = Math.max(4, Math.min(x + 12, page.clientWidth - tip.offsetWidth - 4)) + "px";
    tip.style.top = Math.max(4, y + 16 + tip.offsetHeight > window.innerHeight ? y - tip.offsetHeight - 12 : y + 14) + "px";
  };
  drawing.addEventListener("pointermove", show);
  drawing.addEventListener("pointerdown", show);
  drawing.addEventListener("pointerleave", () => { tip.hidden = true; });
}
