"use strict";
(() => {
  const say = (text) => { document.getElementById("status").textContent = text; };

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };

  const button = (text, action, words) => {
    const made = element("button", { type: "button" }, text);
    if (words) made.setAttribute("aria-label", words);
    made.addEventListener("click", () => action(made));
    return made;
  };

  // What a cell shows, without its interval, bar and remark.
  const shown = (cell) => [...cell.childNodes]
    .filter((node) => !["SMALL", "SUP", "BUTTON"].includes(node.nodeName))
    .map((node) => node.textContent).join("").trim();
  const valueOf = (cell) => cell.dataset.value ?? shown(cell);
  const headOf = (cell) => cell.textContent.trim();
  const noteOf = (cell) => {
    const note = cell.querySelector(".note");
    return note?.dataset.note ?? note?.textContent ?? "";
  };

  // --- Sorting. Empty values stay last in both directions: a missing score is neither best nor worst.
  const compare = (a, b, up) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const x = Number(a), y = Number(b);
    const order = Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
    return up ? order : -order;
  };

  const sort = (head) => {
    const table = head.closest("table");
    const before = head.getAttribute("aria-sort");
    const up = before ? before === "descending" : !head.classList.contains("number");
    for (const other of table.querySelectorAll("th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const column = head.cellIndex, body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [valueOf(row.cells[column]), row]);
    rows.sort((a, b) => compare(a[0], b[0], up));
    body.append(...rows.map(([, row]) => row));
    say(`Sorted by ${headOf(head)}, ${up ? "ascending" : "descending"}.`);
  };

  // --- Copies: the visible rows, in their current order.
  const rowsOf = (table) => [...table.tBodies[0].rows].filter((row) => !row.hidden);

  // A spreadsheet reads such text as a formula, and names come from whoever wrote the data.
  const harmless = (text) => (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text);
  const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const quote = (text) => quoted(harmless(text));

  // An interval and a remark get columns of their own: a number in a CSV must be a number.
  const csv = (table) => {
    const rows = rowsOf(table);
    const columns = [...table.tHead.rows[0].cells].flatMap((head, k) => {
      const name = headOf(head);
      const cells = rows.map((row) => row.cells[k]);
      const parts = [[name, valueOf]];
      if (cells.some((cell) => "low" in cell.dataset)) {
        parts.push([`${name}, low`, (cell) => cell.dataset.low ?? ""]);
        parts.push([`${name}, high`, (cell) => cell.dataset.high ?? ""]);
      }
      if (cells.some(noteOf)) parts.push([`${name}, remark`, noteOf]);
      return parts.map(([title, get]) => [title, (row) => get(row.cells[k])]);
    });
    const lines = [columns.map(([title]) => quote(title)).join(",")];
    for (const row of rows) lines.push(columns.map(([, get]) => quote(get(row))).join(","));
    return lines.join("\n") + "\n";
  };

  const TEX = {
    "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
    "–": "--", "−": "$-$", "→": "$\\to$", "κ": "$\\kappa$", "χ": "$\\chi$", "²": "$^2$",
    "×": "$\\times$", "·": "$\\cdot$", "<": "$<$", ">": "$>$", "|": "$|$",
  };
  const escaped = (text) => text.replace(/\s+/g, " ")
    .replace(/[\\~^–−→κχ²×·<>|&%$#_{}]/g, (one) => TEX[one] ?? `\\${one}`);

  const latex = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    const spec = heads.map((head) => (head.classList.contains("number") ? "r" : "l")).join("");
    const line = (cells) => `  ${cells.join(" & ")} \\\\`;
    const cellOf = (cell) => {
      const range = cell.querySelector(".range");
      return escaped(range ? `${shown(cell)} (${range.textContent})` : shown(cell));
    };
    return [
      "% \\usepackage{booktabs}",
      `\\begin{tabular}{${spec}}`,
      "  \\toprule",
      line(heads.map((head) => escaped(headOf(head)))),
      "  \\midrule",
      ...rowsOf(table).map((row) => line([...row.cells].map(cellOf))),
      "  \\bottomrule",
      "\\end{tabular}",
    ].join("\n") + "\n";
  };

  const copy = async (text, made) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // A page opened from a file may be denied the clipboard; the old way works there.
      const area = element("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    say("Copied.");
    const name = made.textContent;
    made.textContent = "Copied";
    setTimeout(() => { made.textContent = name; }, 1500);
  };

  const save = (address, name) => {
    element("a", { href: address, download: name }).click();
    say(`Saved ${name}.`);
  };

  const saveText = (text, name, kind) => {
    const address = URL.createObjectURL(new Blob([text], { type: `${kind};charset=utf-8` }));
    save(address, name);
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  };

  // --- Filters: words in any cell or its footnote, and the values of the columns that the table names.
  const filterRows = (table, words, choices) => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const body = table.tBodies[0];
    let left = 0;
    for (const row of body.rows) {
      const text = [...row.cells].map((cell) => `${cell.textContent} ${noteOf(cell)}`).join(" ").toLowerCase();
      row.hidden = !wanted.every((word) => text.includes(word))
        || !choices.every(([column, select]) =>
          select.value === "" || valueOf(row.cells[column]) === select.value);
      left += !row.hidden;
    }
    say(`${left} of ${body.rows.length} rows.`);
    return left === body.rows.length ? "" : `${left} of ${body.rows.length} rows`;
  };

  const filters = (table) => {
    const rows = [...table.tBodies[0].rows];
    const named = (table.dataset.filters || "").split(" ").filter(Boolean).map(Number);
    const choices = named.flatMap((column) => {
      const values = [...new Set(rows.map((row) => valueOf(row.cells[column])))];
      if (values.length < 2) return [];
      const name = headOf(table.tHead.rows[0].cells[column]);
      const select = element("select", { "aria-label": `${name} of ${table.dataset.name}` });
      select.append(element("option", { value: "" }, `${name}: all`));
      for (const value of values) select.append(element("option", { value }, value || "–"));
      return [[column, select]];
    });
    if (rows.length < 5 && !choices.length) return null;
    const words = element("input", {
      type: "search", placeholder: "Filter rows", "aria-label": `Filter rows of ${table.dataset.name}`,
    });
    const count = element("span", { class: "count" });
    const box = element("p", { class: "tools filters" }, words, ...choices.map(([, s]) => s), count);
    box.addEventListener("input", () => { count.textContent = filterRows(table, words, choices); });
    return box;
  };

  for (const table of document.querySelectorAll("table")) {
    const name = table.dataset.name, frame = table.closest(".table");
    for (const head of table.tHead.rows[0].cells) {
      const words = headOf(head);
      head.replaceChildren(button(words, () => sort(head)));
    }
    const box = filters(table);
    if (box) frame.prepend(box);
    frame.append(element("p", { class: "tools" },
      button("Copy CSV", (made) => copy(csv(table), made), `Copy table ${name} as CSV`),
      button("Copy LaTeX", (made) => copy(latex(table), made), `Copy table ${name} as LaTeX`),
      button("Save CSV", () => saveText(csv(table), `${name}.csv`, "text/csv"), `Save table ${name} as CSV`),
      button("Save LaTeX", () => saveText(latex(table), `${name}.tex`, "text/x-tex"), `Save table ${name} as LaTeX`)));
  }

  // --- Pictures. A saved file is for paper, so the styles for dark mode are removed.
  const onPaper = (address) => {
    const [kind, drawing] = [address.slice(0, address.indexOf(",")), address.slice(address.indexOf(",") + 1)];
    const text = decodeURIComponent(drawing).replace(/<style id="page">[^]*?<\/style>/, "");
    return `${kind},${encodeURIComponent(text)}`;
  };

  const SCALE = 3;
  const savePixels = async (image, name) => {
    const drawn = new Image();
    drawn.src = onPaper(image.src);
    await drawn.decode();
    const [width, height] = ["width", "height"].map((side) => image.getAttribute(side) * SCALE);
    const canvas = element("canvas", { width, height });
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    context.drawImage(drawn, 0, 0, width, height);
    save(canvas.toDataURL("image/png"), `${name}.png`);
  };

  for (const image of document.querySelectorAll("figure img")) {
    const name = image.dataset.name;
    const tools = element("span", { class: "tools" });
    if (image.src.startsWith("data:image/svg")) {
      const svg = () => save(onPaper(image.src), `${name}.svg`);
      tools.append(
        button("Save SVG", svg, `Save picture ${name} as SVG`), " ",
        button("Save PNG", () => savePixels(image, name), `Save picture ${name} as PNG`));
    } else {
      tools.append(button("Save PNG", () => save(image.src, `${name}.png`), `Save picture ${name} as PNG`));
    }
    image.closest("figure").querySelector("figcaption").append(" ", tools);
  }

  // Nobody can open a fold on paper.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const fold of folded) fold.open = true;
    for (const image of document.images) image.loading = "eager";
  });
  addEventListener("afterprint", () => { for (const fold of folded) fold.open = false; });
})();
