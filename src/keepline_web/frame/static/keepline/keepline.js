// What pages do beyond links and forms: windows, the palette, keys, and lines that wait for the network.
"use strict";
(() => {
  const find = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];

  const token = () => (find("meta[name=csrf]") || {}).content || "";

  // windows
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) { find("#" + opener.dataset.opens).showModal(); return; }
    const unfolder = event.target.closest("[data-unfolds]");
    if (unfolder) { unfolder.form.classList.toggle("unfolded"); return; }
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

  // the palette: every page, act and customer, from the keyboard
  const palette = find("#palette");
  if (palette) {
    const input = find("input", palette), list = find("ul", palette), pages = all("li", list);
    const shown = () => all("li:not([hidden]) a", list);
    const choose = (link) => { all("a", list).forEach((a) => a.setAttribute("aria-selected", a === link)); if (link) { link.scrollIntoView({ block: "nearest" }); } };
    const chosen = () => shown().findIndex((a) => a.getAttribute("aria-selected") === "true");
    let asked = 0;
    const customers = async (text) => {
      const own = ++asked;
      await new Promise((later) => setTimeout(later, 180));
      if (own !== asked) { return; }
      const answer = text && input.dataset.finds ? await fetch(input.dataset.finds, {
        method: "POST", credentials: "same-origin", headers: { "X-CSRFToken": token() }, body: new URLSearchParams({ q: text }),
      }).catch(() => null) : null;
      const said = answer && answer.ok && !answer.redirected ? await answer.text() : "";
      if (own !== asked) { return; }
      all("[data-found]", list).forEach((li) => li.remove());
      list.insertAdjacentHTML("beforeend", said);
      if (chosen() < 0 || shown()[chosen()].matches("[data-seeks]")) { choose(find("[data-found] a", list) || shown()[0]); }
    };
    const filter = () => {
      const text = input.value.trim();
      pages.forEach((li) => { li.hidden = li.dataset.search === undefined && !li.textContent.toLowerCase().includes(text.toLowerCase()); });
      const search = find("[data-search]", list);
      if (search) { search.hidden = !text; }
      choose(shown().find((a) => !a.matches("[data-seeks]")) || shown()[0]);
      customers(text);
    };
    const open = () => { palette.showModal(); input.value = ""; filter(); input.focus(); };
    document.addEventListener("keydown", (event) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") { event.preventDefault(); open(); }
    });
    all("[data-palette]").forEach((button) => button.addEventListener("click", open));
    list.addEventListener("click", (event) => {
      const act = event.target.closest("a[href='#']");
      if (!act) { return; }
      event.preventDefault();
      palette.close();
      if (act.matches("[data-seeks]")) {
        const form = find("form.find");
        find("[name=q]", form).value = input.value.trim();
        form.requestSubmit();
      }
      if (act.dataset.clicks) { find(act.dataset.clicks).click(); }
    });
    palette.addEventListener("click", (event) => { if (event.target === palette) { palette.close(); } });
    input.addEventListener("input", filter);
    input.addEventListener("keydown", (event) => {
      const links = shown(), at = chosen();
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        choose(links[(at + (event.key === "ArrowDown" ? 1 : links.length - 1)) % links.length]);
      } else if (event.key === "Enter" && links[at]) {
        event.preventDefault();
        links[at].click();
      }
    });
  }

  // j and k, or the arrows: the next and the one before, in a list of cards, of pages, or of customers
  const steps = { j: 1, k: -1, ArrowRight: 1, ArrowLeft: -1 };
  const along = (step) => {
    const cards = all("[data-card]").filter((card) => card.offsetParent);
    if (!cards.length) { return false; }
    const at = cards.findIndex((card) => card.contains(document.activeElement));
    const card = cards[at < 0 ? (step > 0 ? 0 : cards.length - 1) : Math.min(cards.length - 1, Math.max(0, at + step))];
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "center" });
    return true;
  };
  document.addEventListener("keydown", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.target.closest("input, textarea, select, dialog, .scroll")) { return; }
    const step = steps[event.key];
    if (step && !(event.key.length === 1 && along(step))) {
      const link = find(step > 0 ? "[data-next]" : "[data-previous]");
      if (link) { link.click(); }
    }
    if (event.key === "/" && find("input[type=search]:not(#palette input)")) { event.preventDefault(); find("input[type=search]:not(#palette input)").focus(); }
  });

  document.addEventListener("htmx:afterSettle", (event) => { if (event.target.matches("[data-card]")) { event.target.focus({ preventScroll: true }); } });
  document.addEventListener("htmx:afterSwap", (event) => { const card = event.target.closest && event.target.closest("[data-card]"); if (card) { card.focus({ preventScroll: true }); } });

  // several of a list at once: what is ticked goes with the form of the act
  const listing = find("[data-list]");
  if (listing) {
    const boxes = all("[data-chooses]", listing), bar = find("[data-chosen-bar]", listing), whole = find("[data-chooses-all]", listing);
    const ticked = () => boxes.filter((box) => box.checked);
    const count = () => {
      const n = ticked().length;
      if (!bar) { return; }
      bar.hidden = !n;
      find("[data-chosen-count]", bar).textContent = n;
      whole.checked = n > 0 && n === boxes.length;
      whole.indeterminate = n > 0 && n < boxes.length;
      boxes.forEach((box) => box.closest("tr").classList.toggle("own", box.checked));
    };
    listing.addEventListener("change", (event) => {
      if (event.target === whole) { boxes.forEach((box) => { box.checked = whole.checked; }); }
      count();
    });
    listing.addEventListener("click", (event) => {
      if (event.target.closest("[data-chosen-none]")) { boxes.forEach((box) => { box.checked = false; }); count(); }
    });
    document.addEventListener("submit", (event) => {
      if (!event.target.matches("[data-takes-chosen]")) { return; }
      all("input[name=account]", event.target).forEach((old) => old.remove());
      ticked().forEach((box) => {
        const row = document.createElement("input");
        Object.assign(row, { type: "hidden", name: "account", value: box.value });
        event.target.append(row);
      });
    });
    window.addEventListener("pageshow", count);
  }

  // short words for who is new, which stay away once put away
  const TIPS = "keepline-tips";
  const away = () => JSON.parse(localStorage.getItem(TIPS) || "[]");
  all("[data-tip]").forEach((tip) => {
    tip.hidden = away().includes(tip.dataset.tip);
    find("[data-tip-away]", tip).addEventListener("click", () => { localStorage.setItem(TIPS, JSON.stringify([...away(), tip.dataset.tip])); tip.remove(); });
  });

  // copying, and asking once more before what cannot be undone
  document.addEventListener("click", async (event) => {
    const copier = event.target.closest("[data-copies]");
    if (!copier) { return; }
    await navigator.clipboard.writeText(copier.dataset.copies || location.href);
    toast(document.body.dataset.copied);
  });
  document.addEventListener("submit", (event) => { if (event.target.dataset.asks && !window.confirm(event.target.dataset.asks)) { event.preventDefault(); } });

  // the first feedback of whatever is sent comes at once
  const calm = () => document.documentElement.classList.remove("busy");
  document.addEventListener("submit", (event) => { if (!event.defaultPrevented && !event.target.matches("[hx-post]")) { document.documentElement.classList.add("busy"); setTimeout(calm, 6000); } });
  window.addEventListener("pageshow", calm);

  // a line of the log that could not be sent waits here, sealed for who wrote it, who alone sends it on a shared computer;
  // it is sent with the same key until it is there or refused
  const WAITING = "keepline-waiting", WEEK = 7 * 24 * 3600 * 1000, LATER = [401, 403, 429];
  const waiting = () => JSON.parse(localStorage.getItem(WAITING) || "[]").filter((row) => Date.now() - row.at < WEEK);
  const keep = (rows) => localStorage.setItem(WAITING, JSON.stringify(rows));
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const base64 = (data) => btoa(String.fromCharCode(...new Uint8Array(data)));
  const own = (find("meta[name=keeping]") || {}).content;
  const cipher = () => crypto.subtle.importKey("raw", bytes(own), "AES-GCM", false, ["encrypt", "decrypt"]);
  const seal = async (said) => {
    const iv = crypto.getRandomValues(new Uint8Array(12)), plain = new TextEncoder().encode(JSON.stringify(said));
    const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await cipher(), plain);
    return { at: Date.now(), iv: base64(iv), data: base64(data) };
  };
  const unseal = async (row) => {
    try {
      const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: bytes(row.iv) }, await cipher(), bytes(row.data));
      return JSON.parse(new TextDecoder().decode(plain));
    } catch (error) { return null; } // somebody else's, who signs in here again
  };
  const send = async () => {
    for (const row of waiting()) {
      const said = await unseal(row);
      if (!said) { continue; }
      try {
        const answer = await fetch(said.url, {
          method: "POST", credentials: "same-origin",
          headers: { "X-CSRFToken": token(), "Content-Type": "application/x-www-form-urlencoded" }, body: said.body,
        });
        if (answer.status < 500 && !LATER.includes(answer.status)) {
          keep(waiting().filter((other) => other.data !== row.data));
          toast(answer.ok ? document.body.dataset.sent : document.body.dataset.unsent);
        }
      } catch (error) { return; }
    }
  };
  const hold = (event) => {
    const form = event.target.closest("form[data-keeps]");
    if (!form || !own || !window.crypto.subtle) { return false; }
    const said = new URLSearchParams(new FormData(form, event.detail.requestConfig.triggeringEvent?.submitter));
    said.delete("csrfmiddlewaretoken");
    said.set("happened_at", new Date().toISOString());
    seal({ url: form.getAttribute("hx-post"), body: said.toString() }).then((row) => {
      keep([...waiting(), row]);
      toast(document.body.dataset.kept);
    });
    return true;
  };
  const AGAIN = 5000;  // milliseconds, while something waits and the browser thinks that it has a network
  const tries = () => { if (own && token() && waiting().length) { send(); } };
  setInterval(() => { if (navigator.onLine) { tries(); } }, AGAIN);
  document.addEventListener("htmx:sendError", (event) => { if (!hold(event)) { toast(document.body.dataset.offline); } });
  window.addEventListener("online", tries);
  tries();

  // the server's refusals are shown where they belong, or as a message
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 422) { event.detail.shouldSwap = true; event.detail.isError = false; }
  });
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status > 500 && hold(event)) { return; }  // a proxy without its server
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
  document.addEventListener("click", (event) => { if (event.target.closest("[data-prints]")) { setTimeout(() => window.print(), 50); } });

  // selects that filter a list send their form at once
  document.addEventListener("change", (event) => { if (event.target.closest("[data-sends]")) { event.target.form.requestSubmit(); } });
})();
