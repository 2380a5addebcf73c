"use strict";
(() => {
  const say = (text) => { document.getElementById("status").textContent = text; };

  const valueOf = (row, column) => row.cells[column].dataset.value;

  // Empty values stay last in both directions: a missing score is neither best nor worst.
  const compare = (a, b, up) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const x = Number(a), y = Number(b);
    const order = Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
    return up ? order : -order;
  };

  const sort = (head) => {
    const table = head.closest("table");
    const numeric = head.classList.contains("number");
    const before = head.getAttribute("aria-sort");
    const up = before ? before === "descending" : !numeric;
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    rows.sort((a, b) => compare(valueOf(a, head.cellIndex), valueOf(b, head.cellIndex), up));
    body.append(...rows);
  };

  const quote = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

  const csv = (table) => {
    const head = [...table.tHead.rows[0].cells].map((cell) => quote(cell.textContent.trim()));
    const rows = [...table.tBodies[0].rows].map((row) =>
      [...row.cells].map((cell) => quote(cell.dataset.value)).join(","));
    return [head.join(","), ...rows].join("\n") + "\n";
  };

  const save = (uri, name) => {
    const link = document.createElement("a");
    link.href = uri;
    link.download = name;
    link.click();
  };

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // A page opened from a file may not be given the clipboard: the old way works there.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    say("Copied.");
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const head = button.closest("th");
    if (head) { sort(head); return; }
    if (button.dataset.picture) {
      save(button.closest("figure").querySelector("img").src, button.dataset.picture);
      return;
    }
    const table = button.closest(".table").querySelector("table");
    if ("copy" in button.dataset) {
      copy(csv(table));
      const name = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = name; }, 1500);
    } else {
      save("data:text/csv;charset=utf-8," + encodeURIComponent(csv(table)), `${table.dataset.name}.csv`);
    }
  });

  // Nobody can open a fold on paper.
  addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll("details")) fold.open = true;
  });
})();
