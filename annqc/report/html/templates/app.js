/* Draws the pictures, and sorts and searches tables. */
"use strict";

(function () {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const pictures = new Map();
  /* Pixels across that fit on A4 and on Letter. */
  const PAPER = 680;
  const SHUT = "details:not([open])";
  let printing = false;
  let opened = [];
  const sizes = new ResizeObserver(function (entries) {
    for (const entry of entries) {
      const drawn = entry.target.querySelector(".main-svg");
      if (drawn && Math.abs(drawn.clientWidth - entry.target.clientWidth) > 1) {
        window.Plotly.Plots.resize(entry.target);
      }
    }
  });

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function themed(figure) {
    /* Before a page is printed, its colours are still those of the screen. */
    const ink = printing ? "#000000" : colour("--ink");
    const line = printing ? "#bbbbbb" : colour("--line");
    const layout = Object.assign({}, figure.layout, {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink, family: "system-ui, sans-serif", size: 12 },
      dragmode: false,
      autosize: !printing,
    }, printing ? { width: PAPER } : {});
    for (const name of Object.keys(layout)) {
      if (/^[xy]axis\d*$/.test(name)) {
        layout[name] = Object.assign({ gridcolor: line, zerolinecolor: ink }, layout[name]);
      }
    }
    return layout;
  }

  function draw(element) {
    const figure = pictures.get(element);
    if (!figure || !window.Plotly) {
      return;
    }
    const first = !element.classList.contains("drawn");
    window.Plotly.react(element, figure.data, themed(figure), {
      displayModeBar: false,
      scrollZoom: false,
    });
    element.classList.add("drawn");
    if (first) {
      sizes.observe(element);
    }
    const pages = (figure.layout.meta || {}).pages;
    if (first && pages) {
      element.on("plotly_click", function (event) {
        const page = pages[Math.round(event.points[0].y)];
        if (page) {
          window.location.href = page;
        }
      });
    }
  }

  function prepare(page) {
    const waiting = [];
    for (const data of page.querySelectorAll("script[data-picture]")) {
      const element = document.getElementById(data.dataset.picture);
      if (!pictures.has(element)) {
        pictures.set(element, JSON.parse(data.textContent));
        waiting.push(element);
      }
    }
    /* One at a time, so that the page can be read and scrolled meanwhile. */
    (function next() {
      if (waiting.length) {
        const element = waiting.shift();
        const shut = element.closest(SHUT);
        if (shut) {
          shut.addEventListener("toggle", function () {
            draw(element);
          }, { once: true });
        } else {
          draw(element);
        }
        setTimeout(next, 0);
      }
    })();
  }

  function again() {
    for (const element of pictures.keys()) {
      if (element.classList.contains("drawn")) {
        draw(element);
      }
    }
  }

  function print(now) {
    printing = now;
    if (now) {
      /* On paper nothing can be opened. */
      opened = Array.from(document.querySelectorAll(SHUT));
      for (const element of opened) {
        element.open = true;
      }
    }
    for (const element of pictures.keys()) {
      if (element.clientWidth) {
        draw(element);
      }
    }
    if (!now) {
      for (const element of opened) {
        element.open = false;
      }
    }
  }

  function keyOf(row, column) {
    const cell = row.cells[column];
    if ("key" in cell.dataset) {
      return cell.dataset.key;
    }
    const text = cell.textContent.trim();
    /* Of a number with its mark before and its interval after it, the number; a dash is none. */
    const number = /^(?:[✕∗?✓·] *)?([+−]?[0-9][0-9,]*(?:\.[0-9]+)?)(?![^ ])/.exec(text);
    if (cell.tagName === "TD" && number) {
      return number[1].replace(/[+,]/g, "").replace("−", "-");
    }
    return text === "–" ? "" : text;
  }

  function compare(a, b, sign) {
    if (a === "" || b === "") {
      return (a === "") - (b === "");
    }
    const x = Number(a);
    const y = Number(b);
    if (!Number.isNaN(x) && !Number.isNaN(y)) {
      return sign * (x - y);
    }
    return sign * a.localeCompare(b, undefined, { numeric: true });
  }

  function sortable(table) {
    const heads = table.tHead.rows[0].cells;
    for (const head of heads) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", function () {
        const up = head.getAttribute("aria-sort") !== "ascending";
        for (const other of heads) {
          other.removeAttribute("aria-sort");
        }
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const body = table.tBodies[0];
        const rows = Array.from(body.rows, function (row) {
          return [keyOf(row, head.cellIndex), row];
        });
        rows.sort(function (a, b) {
          return compare(a[0], b[0], up ? 1 : -1);
        });
        body.append(...rows.map(function (pair) {
          return pair[1];
        }));
      });
    }
  }

  function searchable(input) {
    const rows = Array.from(document.getElementById(input.dataset.search).tBodies[0].rows);
    const found = document.querySelector('[data-found="' + input.dataset.search + '"]');
    input.addEventListener("input", function () {
      const asked = input.value.trim().toLowerCase();
      let n = 0;
      for (const row of rows) {
        row.hidden = !row.textContent.toLowerCase().includes(asked);
        n += row.hidden ? 0 : 1;
      }
      found.textContent = asked ? n + " of " + rows.length : "";
    });
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    sortable(table);
  }
  for (const input of document.querySelectorAll("input[data-search]")) {
    searchable(input);
  }
  /* Where one file holds all pages, each is drawn when it is first shown. */
  if (document.querySelector("main > article.shown")) {
    document.addEventListener("shown", function (event) {
      prepare(event.target);
    });
  } else {
    prepare(document);
  }
  dark.addEventListener("change", again);
  window.addEventListener("beforeprint", function () {
    print(true);
  });
  window.addEventListener("afterprint", function () {
    print(false);
  });
})();
