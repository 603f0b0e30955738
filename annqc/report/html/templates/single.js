/* Of the pages in this one file shows the one that was asked for, and unpacks plotly. */
"use strict";

(function () {
  const nonce = document.currentScript.nonce;
  const first = document.querySelector("main > article");
  const pages = new Map();
  const places = new Map();
  let shown = first;
  let entry = 0;
  let entries = 0;
  let turned = false;
  let back;

  function drawn(page) {
    if (window.Plotly) {
      page.dispatchEvent(new Event("shown", { bubbles: true }));
    }
  }

  function asked() {
    if (window.location.hash.length < 2) {
      return first;
    }
    let name = window.location.hash.slice(1);
    try {
      name = decodeURIComponent(name);
    } catch {
      /* Not what this file wrote: there is no page of that name. */
    }
    return pages.get(name) || document.getElementById(name);
  }

  /* Before the browser looks for what was asked for: it must be on a page that can be seen. */
  function show() {
    back = history.state ? places.get(history.state.entry) : undefined;
    if (!history.state) {
      entries += 1;
      history.replaceState({ entry: entries }, "");
    }
    entry = history.state.entry;
    const target = asked();
    const page = target && target.closest("main > article");
    turned = Boolean(page) && page !== shown;
    if (turned) {
      shown.classList.remove("shown");
      page.classList.add("shown");
      shown = page;
      document.title = page.querySelector("h1").textContent;
      drawn(page);
    }
  }

  /* After it: where one was before, or else the beginning of the page. */
  function settle() {
    const target = asked();
    if (turned) {
      const head = shown.querySelector("h1");
      head.tabIndex = -1;
      head.focus({ preventScroll: true });
    }
    if (back !== undefined) {
      window.scrollTo(0, back);
    } else if (target === shown) {
      window.scrollTo(0, 0);
    } else if (target) {
      target.scrollIntoView();
    }
  }

  function unpacked(text) {
    const bytes = Uint8Array.from(atob(text), function (one) {
      return one.charCodeAt(0);
    });
    return new Response(
      new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")),
    );
  }

  async function unpack() {
    const packed = document.getElementById("plotly");
    const script = document.createElement("script");
    script.nonce = nonce;
    script.textContent = await unpacked(packed.textContent).text();
    document.head.append(script);
    packed.remove();
    drawn(shown);
  }

  async function save(link) {
    const made = document.createElement("a");
    made.href = URL.createObjectURL(await unpacked(link.href.split(",")[1]).blob());
    made.download = link.download.replace(/\.gz$/, "");
    made.click();
    setTimeout(function () {
      URL.revokeObjectURL(made.href);
    }, 60000);
  }

  /* Without scripts links to pages need their ids; with them a browser is not to scroll there. */
  for (const page of document.querySelectorAll("main > article")) {
    pages.set(page.id, page);
    page.dataset.page = page.id;
    page.removeAttribute("id");
  }
  history.scrollRestoration = "manual";
  window.addEventListener("popstate", show);
  window.addEventListener("hashchange", settle);
  window.addEventListener("scroll", function () {
    places.set(entry, window.scrollY);
  });
  show();
  if (window.location.hash) {
    settle();
  }
  /* After the first paint: the numbers can be read while the pictures are unpacked. */
  if (window.DecompressionStream) {
    requestAnimationFrame(function () {
      setTimeout(unpack, 0);
    });
    document.addEventListener("click", function (event) {
      const link = event.target.closest('a[href^="data:application/gzip"]');
      if (link) {
        event.preventDefault();
        save(link);
      }
    });
  } else {
    document.documentElement.classList.add("numbersonly");
  }
})();
