// What pages do beyond links and forms: windows, the palette, keys, and lines that wait for the network.
"use strict";
(() => {
  const find = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  // windows
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) { find("#" + opener.dataset.opens).showModal(); return; }
    const closer = event.target.closest("[data-closes]");
    if (closer) { closer.closest("dialog").close(); }
  });

  // messages
  const toast = (text) => {
    const said = document.createElement("div");
    said.className = "toast";
    said.setAttribute("role", "status");
    said.textContent = text;
    document.body.append(said);
    setTimeout(() => said.remove(), 5000);
  };

  // the palette: every page and every search, from the keyboard
  const palette = find("#palette");
  if (palette) {
    const input = find("input", palette), list = find("ul", palette), pages = all("li", list);
    const shown = () => all("li:not([hidden]) a", list);
    const choose = (link) => { shown().forEach((a) => a.setAttribute("aria-selected", a === link)); if (link) { link.scrollIntoView({ block: "nearest" }); } };
    const filter = () => {
      const text = input.value.trim().toLowerCase();
      pages.forEach((li) => { li.hidden = li.dataset.search === undefined && !li.textContent.toLowerCase().includes(text); });
      const search = find("[data-search]", list);
      if (search) {
        search.hidden = !text;
        const link = find("a", search);
        link.href = link.dataset.href + encodeURIComponent(input.value.trim());
      }
      choose(shown().find((a) => !a.dataset.href) || shown()[0]);
    };
    const open = () => { palette.showModal(); input.value = ""; filter(); input.focus(); };
    document.addEventListener("keydown", (event) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") { event.preventDefault(); open(); }
    });
    all("[data-palette]").forEach((button) => button.addEventListener("click", open));
    input.addEventListener("input", filter);
    input.addEventListener("keydown", (event) => {
      const links = shown(), at = links.findIndex((a) => a.getAttribute("aria-selected") === "true");
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        choose(links[(at + (event.key === "ArrowDown" ? 1 : links.length - 1)) % links.length]);
      } else if (event.key === "Enter" && links[at]) {
        event.preventDefault();
        links[at].click();
      }
    });
  }

  // j and k: the next and the one before, in a list or from one customer's page to another's
  document.addEventListener("keydown", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.target.closest("input, textarea, select, dialog")) { return; }
    const link = { j: "[data-next]", k: "[data-previous]" }[event.key];
    if (link && find(link)) { find(link).click(); }
    if (event.key === "/" && find(".find input")) { event.preventDefault(); find(".find input").focus(); }
  });

  // a line of the log that could not be sent waits here, and is sent with the same key until it is there
  const WAITING = "keepline-waiting";
  const waiting = () => JSON.parse(localStorage.getItem(WAITING) || "[]");
  const keep = (rows) => localStorage.setItem(WAITING, JSON.stringify(rows));
  const token = () => (find("meta[name=csrf]") || {}).content || "";
  const send = async () => {
    const rows = waiting();
    for (const row of rows) {
      try {
        const answer = await fetch(row.url, {
          method: "POST", credentials: "same-origin",
          headers: { "X-CSRFToken": token(), "Content-Type": "application/x-www-form-urlencoded" }, body: row.body,
        });
        if (answer.status < 500 && answer.status !== 401 && answer.status !== 403) {
          keep(waiting().filter((other) => other.body !== row.body));
          toast(document.body.dataset.sent);
        }
      } catch (error) { return; }
    }
  };
  document.addEventListener("htmx:sendError", (event) => {
    const form = event.target.closest("form[data-keeps]");
    if (!form) { toast(document.body.dataset.offline); return; }
    const said = new URLSearchParams(new FormData(form, event.detail.requestConfig.triggeringEvent?.submitter));
    said.delete("csrfmiddlewaretoken");
    said.set("happened_at", new Date().toISOString());
    keep([...waiting(), { url: form.getAttribute("hx-post"), body: said.toString() }]);
    toast(document.body.dataset.kept);
  });
  window.addEventListener("online", send);
  if (waiting().length && token()) { send(); }

  // the server's refusals are shown where they belong, or as a message
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 422) { event.detail.shouldSwap = true; event.detail.isError = false; }
  });
  document.addEventListener("htmx:responseError", (event) => {
    const said = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html").body.textContent.trim();
    toast(said || document.body.dataset.offline);
  });

  // what was unmasked is taken away again
  const hide = () => all("[data-hide-after]").forEach((part) => {
    if (part.dataset.hiding) { return; }
    part.dataset.hiding = "yes";
    setTimeout(() => part.remove(), Number(part.dataset.hideAfter) * 1000);
  });
  document.addEventListener("htmx:afterSettle", hide);
  hide();

  // a box that ticks all boxes of a name, and a button that prints
  document.addEventListener("change", (event) => {
    const all_of = event.target.dataset.ticks;
    if (all_of) { all(`input[name="${all_of}"]`, event.target.form).forEach((box) => { box.checked = event.target.checked; }); }
  });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-prints]")) { window.print(); } });

  // selects that filter a list send their form at once
  document.addEventListener("change", (event) => { if (event.target.closest("[data-sends]")) { event.target.form.requestSubmit(); } });
})();
