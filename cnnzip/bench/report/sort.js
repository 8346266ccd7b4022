// Tables sorted by a click on a header: first the way that the header says is better, then the other way.

function compare(a, b, direction) {
  // What was not measured stays at the end either way.
  if (a === "" || b === "") return (a === "") - (b === "");
  const [x, y] = [Number(a), Number(b)];
  const order = Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y;
  return direction === "ascending" ? order : -order;
}

function sortBy(header) {
  const first = header.dataset.first;
  const second = first === "ascending" ? "descending" : "ascending";
  const direction = header.getAttribute("aria-sort") === first ? second : first;
  for (const other of header.parentElement.children) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", direction);

  const body = header.closest("table").tBodies[0];
  const key = (row) => row.cells[header.cellIndex].dataset.value;
  body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b), direction)));
}

export function startSorting() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("th button");
    if (button) sortBy(button.closest("th"));
  });
}
