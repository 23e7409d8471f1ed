"use strict";
// The browser of verdicts. Every text of a model, a judge or a file enters by textContent; the one exception is Markdown
// that nh3 cleaned when the page was written (see "fragment"). Names are never keys of objects.
(() => {
  const $ = (id) => document.getElementById(id);
  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  // ---- theme
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const remembered = (value) => {
    try {
      if (value) localStorage.setItem("codearena-theme", value);
      return localStorage.getItem("codearena-theme");
    } catch { return null; } // a browser that keeps nothing for files
  };
  const theme = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  if (["dark", "light"].includes(remembered())) root.dataset.theme = remembered();
  $("theme").addEventListener("click", () => {
    root.dataset.theme = theme() === "dark" ? "light" : "dark";
    remembered(root.dataset.theme);
  });

  const index = JSON.parse($("index").textContent);
  const N = index.prompts.length;
  const WORDS = new Map([["w", "win"], ["t", "tie"], ["l", "loss"], ["u", "not scored"]]);
  const policy = window.trustedTypes
    ? trustedTypes.createPolicy("codearena", { createHTML: (html) => html })
    : { createHTML: (html) => html };

  // ---- filters
  const ANY = "";
  const choices = new Map(); // name of a filter -> its values, in order; what is chosen is told by value, not by place
  choices.set("model", index.models);
  for (const { kind, names } of index.kinds) choices.set(kind, names);
  choices.set("outcome", [...WORDS.values()]);
  choices.set("orders", ["agree", "disagree"]);
  choices.set("status", [...index.statuses, "any failure"]);
  choices.set("sort", ["losses first", "wins first", "by model"]);
  const controls = new Map([...choices.keys()].map((name) => [name, $(`by-${name}`)]).filter(([, node]) => node));
  for (const [name, node] of controls) {
    for (const value of choices.get(name)) node.append(new Option(value, value));
    node.closest("label").hidden = name !== "sort" && choices.get(name).length < 2;
  }
  const search = $("search");
  let words = null; // the questions in lower case, once they are unpacked

  const place = (name) => {
    const node = controls.get(name);
    return node && node.value !== ANY ? choices.get(name).indexOf(node.value) : -1;
  };

  const failures = (row, prompt) => {
    const found = [];
    for (const sign of row.games.slice(2 * prompt, 2 * prompt + 2)) {
      if (sign >= "a") found.push(sign.charCodeAt(0) - 97);
    }
    return found;
  };

  // A verdict in the list is one number: run * N + prompt.
  let shown = [];
  const POINTS = "012345678";

  function filtered() {
    const model = place("model"), outcome = place("outcome"), orders = place("orders"), status = place("status");
    const kinds = index.kinds.map(({ kind, of }) => [place(kind), of]).filter(([chosen]) => chosen >= 0);
    const sign = outcome < 0 ? null : [...WORDS.keys()][outcome];
    const agree = orders < 0 ? null : "yn"[orders];
    const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = Array.from({ length: N }, (_, p) =>
      kinds.every(([chosen, of]) => of[p].includes(chosen)) && asked.every((word) => textOf(p).includes(word)));
    const found = [];
    index.rows.forEach((row, run) => {
      if (model >= 0 && run !== model) return;
      for (let p = 0; p < N; p++) {
        if (!fits[p] || row.outcome[p] === ".") continue;
        if (sign !== null && row.outcome[p] !== sign) continue;
        if (agree !== null && row.agree[p] !== agree) continue;
        if (status >= 0) {
          const failed = failures(row, p);
          if (status === index.statuses.length ? !failed.length : !failed.includes(status)) continue;
        }
        found.push(run * N + p);
      }
    });
    const sort = place("sort");
    if (sort !== 2) found.sort((a, b) => a % N - b % N || a - b);
    if (sort === 0 || sort === 1) {
      const points = (v) => POINTS.indexOf(index.rows[Math.floor(v / N)].points[v % N]);
      const rank = (v) => points(v) < 0 ? 99 : sort === 0 ? points(v) : 8 - points(v);
      found.sort((a, b) => rank(a) - rank(b));
    }
    return found;
  }

  const ids = index.prompts.map((id) => id.toLowerCase());
  const titles = index.titles.map((title) => title.toLowerCase());
  const textOf = (p) => words ? `${ids[p]}\n${words[p]}` : `${ids[p]}\n${titles[p]}`;

  function refresh({ keep = false } = {}) {
    const current = shown[here];
    shown = filtered();
    for (const node of [...controls.values(), search]) node.classList.toggle("set", node.value !== ANY);
    const counts = new Map([...WORDS.keys()].map((sign) => [sign, 0]));
    let swayed = 0;
    for (const v of shown) {
      const row = index.rows[Math.floor(v / N)];
      counts.set(row.outcome[v % N], counts.get(row.outcome[v % N]) + 1);
      if (row.agree[v % N] === "n") swayed += 1;
    }
    const total = index.rows.reduce((sum, row) => sum + N - row.outcome.split(".").length + 1, 0);
    $("n-shown").textContent = shown.length.toLocaleString("en");
    $("n-all").textContent = total.toLocaleString("en");
    for (const [sign, n] of counts) $(`n-${sign}`).textContent = n.toLocaleString("en");
    $("n-swayed").textContent = swayed.toLocaleString("en");
    $("reset").disabled = ![...controls.values(), search].some((node) => node.value !== ANY);
    here = keep ? Math.max(0, shown.indexOf(current)) : 0;
    sheet.style.height = `${shown.length * height()}px`;
    $("nothing").hidden = shown.length > 0;
    if (!keep) list.scrollTop = 0;
    draw(true);
  }

  // ---- the list: only rows in sight exist
  const list = $("list"), sheet = $("sheet");
  let here = 0, drawn = "";
  const height = () => parseInt(getComputedStyle(root).getPropertyValue("--row"), 10);

  function draw(anew = false) {
    const each = height();
    const first = Math.max(0, Math.floor(list.scrollTop / each) - 6);
    const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / each) + 6);
    const now = `${first}-${last}-${here}`;
    if (!anew && now === drawn) return;
    drawn = now;
    const rows = [];
    for (let i = first; i < last; i++) rows.push(line(i, each));
    sheet.replaceChildren(...rows);
    if (shown.length && here >= first && here < last) list.setAttribute("aria-activedescendant", `v-${here}`);
    else list.removeAttribute("aria-activedescendant");
  }

  const gameText = (sign) => {
    if (sign === ".") return "–";
    return sign >= "a" ? index.statuses[sign.charCodeAt(0) - 97] : index.labels[Number(sign)];
  };

  const shownKinds = index.kinds.filter(({ kind, names }) => ["class", "language"].includes(kind) && names.length > 1).reverse();

  function line(i, each) {
    const v = shown[i], run = Math.floor(v / N), p = v % N, row = index.rows[run];
    const node = make("div", i === here ? "verdict here" : "verdict");
    node.id = `v-${i}`;
    node.setAttribute("role", "option");
    node.setAttribute("aria-setsize", shown.length);
    node.setAttribute("aria-posinset", i + 1);
    node.setAttribute("aria-selected", i === here);
    node.style.top = `${i * each}px`;
    node.dataset.i = i;
    const sign = row.outcome[p];
    const about = shownKinds
      .flatMap(({ of, names }) => of[p].map((k) => names[k])).join(" · ");
    const games = [...row.games.slice(2 * p, 2 * p + 2)].filter((one) => one !== ".").map(gameText);
    const swayed = row.agree[p] === "n" ? " ⇄" : "";
    node.append(
      make("span", `mark ${sign}`, WORDS.get(sign)),
      make("span", "name", index.models[run]),
      make("span", "title", index.titles[p] ? index.titles[p] : index.prompts[p]),
      make("span", "about quiet", about),
      make("span", "games", games.join("  ") + swayed),
    );
    node.title = `${index.prompts[p]}${swayed ? "\nthe two orders name different winners" : ""}`;
    return node;
  }

  function go(to, { center = false } = {}) {
    if (!shown.length) return;
    here = Math.min(shown.length - 1, Math.max(0, to));
    const each = height(), top = here * each;
    if (center || top < list.scrollTop || top + each > list.scrollTop + list.clientHeight) {
      const lead = center ? (list.clientHeight - each) / 2 : top < list.scrollTop ? 0 : list.clientHeight - each;
      list.scrollTop = top - lead;
    }
    draw();
  }

  // ---- chunks: unpacked when they are needed
  const loaded = () => document.readyState !== "loading" ? Promise.resolve()
    : new Promise((done) => document.addEventListener("DOMContentLoaded", done, { once: true }));

  async function unpacked(id) {
    if (!$(id)) await loaded(); // the file is still being read
    const block = $(id);
    if (!block) return null;
    const bytes = Uint8Array.from(atob(block.textContent), (char) => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  const kept = new Map(); // the last few chunks
  async function chunk(p) {
    if (!kept.has(p)) {
      kept.set(p, unpacked(`chunk-${p}`));
      if (kept.size > 8) kept.delete(kept.keys().next().value);
    }
    return kept.get(p);
  }

  // ---- an opened verdict
  const dialog = $("verdict");
  let open = null, raw = false, token = 0;
  const MOST = 200000;

  function fragment(html) {
    const template = document.createElement("template");
    template.innerHTML = policy.createHTML(html);
    return template.content;
  }

  function textNode(text) {
    const node = make("div", "text");
    if (text === undefined || text === null) {
      node.append(make("p", "empty", "not at hand"));
      return node;
    }
    if (text.raw.trim() === "") {
      node.append(make("p", "empty", "(empty)"));
    } else if (text.html !== undefined && !raw) {
      node.append(fragment(text.html));
    } else {
      if (text.plain && !raw) node.append(make("p", "small quiet", `Shown as it is: ${text.plain}.`));
      const pre = make("pre", "raw", text.raw.slice(0, MOST));
      node.append(pre);
      if (text.raw.length > MOST) {
        const more = make("button", "button", `Show ${(text.raw.length - MOST).toLocaleString("en")} more characters`);
        more.addEventListener("click", () => { pre.textContent = text.raw; more.remove(); });
        node.append(more);
      }
    }
    return node;
  }

  const column = (title, note, node) => {
    const part = make("div");
    const heading = make("h3", "", title);
    if (note) heading.append(make("small", "", note));
    part.append(heading, node);
    return part;
  };

  const noteOf = (run) => index.notes[index.missing[run] ?? -1];

  function question(data, run) {
    const part = make("div");
    part.append(make("h3", "", "Question"));
    if (!data.question.length) part.append(make("p", "quiet", noteOf(run) || "The question is not at hand."));
    for (const [role, text] of data.question) {
      if (data.question.length > 1) part.append(make("p", "role", role));
      part.append(textNode(data.texts[text]));
    }
    return part;
  }

  function answers(data, run) {
    const part = make("div", "two");
    const answer = data.answers[run];
    const notes = [];
    if (answer.absent) notes.push(answer.absent);
    if (answer.ended) notes.push(`ended by ${answer.ended}`);
    if (answer.trace !== undefined) notes.push(raw ? "with its reasoning, which the judge did not see" : "without its reasoning, as the judge saw it");
    const text = raw && answer.trace !== undefined ? answer.trace : answer.text;
    part.append(column(`Answer of ${index.models[run]}`, notes.join(", "), textNode(text === null ? null : data.texts[text])));
    const baseline = data.baselines[run];
    part.append(column(`Baseline: ${index.opponents[run]}`, "", textNode(baseline === null ? null : data.texts[baseline])));
    return part;
  }

  function evidence(data, run) {
    const found = data.evidence ? data.evidence[run] : null;
    if (!found) return [];
    const names = [`Code of ${index.models[run]}`, `Code of ${index.opponents[run]}`];
    const part = make("div", "two evidence");
    found.sides.forEach((blocks, i) => {
      const list = make("div", "text");
      if (!blocks.length) list.append(make("p", "empty", "no code block"));
      for (const block of blocks) {
        const line = make("p", "said");
        line.append(make("span", `chip ${block.sign}`, block.grade), make("b", "", block.name), make("span", "", ` ${block.said}`));
        list.append(line);
        if (block.excerpt !== undefined) list.append(make("pre", "raw", data.texts[block.excerpt].raw));
        if (block.shot !== undefined) {
          const picture = make("img", "shot");
          picture.alt = "the page as a browser drew it";
          picture.loading = "lazy";
          picture.src = `data:image/png;base64,${data.texts[block.shot].raw}`;
          list.append(picture);
        }
      }
      part.append(column(names[i], i ? "" : found.note, list));
    });
    return [part];
  }

  function gameNode(game, number, data, run) {
    const part = make("div");
    const first = game.order === "baseline_first";
    const heading = make("h3", "", `Game ${number}: ${first ? "the baseline is shown first" : "the answer is shown first"}`);
    const [a, b] = first ? [index.opponents[run], index.models[run]] : [index.models[run], index.opponents[run]];
    heading.append(make("small", "", `A is ${a}, B is ${b}`));
    const said = make("p", "said");
    const points = game.points;
    const sign = points === null ? "" : points > 0 ? "w" : points < 0 ? "l" : "t";
    said.append(make("span", `chip ${sign}`, game.label === null ? game.status : game.label));
    said.append(make("span", "", game.said));
    if (points !== null) said.append(make("b", "", `  ${points > 0 ? "+" : points < 0 ? "−" : ""}${Math.abs(points)} ${Math.abs(points) === 1 ? "point" : "points"}`));
    part.append(heading, said);
    if (!game.replies.length) part.append(make("p", "quiet", "No reply is in the run."));
    game.replies.forEach((reply, i) => {
      const about = [game.replies.length > 1 ? `reply ${i + 1} of ${game.replies.length}` : "", reply.about].filter(Boolean);
      if (about.length) part.append(make("p", "role", about.join(", ")));
      if (reply.error !== undefined) {
        part.append(make("div", "text", `no reply: ${reply.error}`));
        return;
      }
      if (reply.refused !== undefined) part.append(make("p", "role", "the judge's server refused:"));
      const node = textNode(data.texts[reply.refused !== undefined ? reply.refused : reply.text]);
      node.classList.add("plain");
      part.append(node);
    });
    return part;
  }

  async function show(v, { push = false, focus = true } = {}) {
    const mine = ++token, run = Math.floor(v / N), p = v % N, row = index.rows[run];
    open = v;
    const at = shown.indexOf(v);
    if (at >= 0) go(at);
    $("verdict-id").textContent = index.prompts[p];
    const mark = $("verdict-mark");
    mark.className = `mark ${row.outcome[p]}`;
    mark.textContent = WORDS.get(row.outcome[p]);
    $("verdict-place").textContent = at < 0 ? "" : `${(at + 1).toLocaleString("en")} of ${shown.length.toLocaleString("en")}`;
    $("previous").disabled = at <= 0;
    $("next").disabled = at < 0 || at === shown.length - 1;
    const models = $("verdict-model");
    models.replaceChildren(...index.models.flatMap((name, other) =>
      index.rows[other].outcome[p] === "." ? [] : [new Option(`${name}: ${WORDS.get(index.rows[other].outcome[p])}`, other, false, other === run)]));
    $("verdict-body").autofocus = true;  // for the dialog; in the document itself it would ask for the focus at once
    if (!dialog.open) dialog.showModal();
    address({ prompt: index.prompts[p], model: index.models[run] }, push);
    const body = $("verdict-body");
    let data = null, problem = "";
    try { data = await chunk(p); } catch (error) { problem = `The texts cannot be unpacked: ${error.message}`; }
    if (mine !== token) return; // another verdict was asked for meanwhile
    if (!data) {
      $("verdict-why").textContent = [...row.games.slice(2 * p, 2 * p + 2)]
        .map((sign, i) => sign === "." ? "" : `${i ? "answer" : "baseline"} first: ${gameText(sign)}`).filter(Boolean).join("; ");
      body.replaceChildren(make("p", "empty", problem || noteOf(run) || "The texts of this verdict are not in this file."));
      return;
    }
    $("verdict-why").textContent = data.why[run];
    const games = make("div", "two");
    games.append(...data.games[run].map((game, i) => gameNode(game, i + 1, data, run)));
    body.replaceChildren(question(data, run), answers(data, run), ...evidence(data, run), games);
    if (focus) body.scrollTop = 0;
  }

  const step = (by) => {
    const at = shown.indexOf(open);
    if (at >= 0 && shown[at + by] !== undefined) show(shown[at + by]);
  };
  const other = (by) => {
    const options = [...$("verdict-model").options].map((option) => Number(option.value));
    const next = options[options.indexOf(Math.floor(open / N)) + by];
    if (next !== undefined) show(next * N + open % N);
  };

  dialog.addEventListener("close", () => {
    open = null;
    token += 1;
    address({}, false);
    list.focus({ preventScroll: true });
  });
  $("close").addEventListener("click", () => dialog.close());
  $("previous").addEventListener("click", () => step(-1));
  $("next").addEventListener("click", () => step(1));
  $("raw").addEventListener("click", () => {
    raw = !raw;
    $("raw").setAttribute("aria-pressed", raw);
    if (open !== null) show(open, { focus: false });
  });
  $("verdict-model").addEventListener("change", (event) => show(Number(event.target.value) * N + open % N));
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); }); // the backdrop

  // ---- addresses: #prompt=…&model=… opens a verdict, any filter filters
  function address(verdict, push) {
    const found = new URLSearchParams();
    if (verdict.prompt !== undefined) found.set("prompt", verdict.prompt);
    for (const [name, node] of controls) if (node.value !== ANY) found.set(name, node.value);
    if (search.value) found.set("q", search.value);
    if (verdict.model !== undefined) found.set("model", verdict.model);
    const text = found.toString() || "verdicts";
    if (`#${text}` === location.hash) return;
    history[push ? "pushState" : "replaceState"](null, "", `#${text}`);
  }

  function follow({ first = false } = {}) {
    const found = new URLSearchParams(location.hash.slice(1));
    const known = [...found.keys()].some((name) => name === "prompt" || name === "q" || controls.has(name));
    if (!known) {
      if (dialog.open) dialog.close();
      return;
    }
    const prompt = index.prompts.indexOf(found.get("prompt")), model = index.models.indexOf(found.get("model"));
    const opens = prompt >= 0;
    for (const [name, node] of controls) {
      if (name === "model" && opens) continue; // there it names the verdict
      node.value = found.has(name) && choices.get(name).includes(found.get(name)) ? found.get(name) : ANY;
    }
    search.value = found.get("q") || "";
    refresh();
    if (found.has("prompt") && !opens) {
      $("lost").hidden = false;
      $("lost").textContent = `This report has no prompt ${found.get("prompt")}.`;
    }
    $("verdicts").scrollIntoView();
    if (opens) {
      const run = model >= 0 && index.rows[model].outcome[prompt] !== "." ? model
        : index.rows.findIndex((row) => row.outcome[prompt] !== ".");
      const at = shown.indexOf(run * N + prompt);
      if (at >= 0) go(at, { center: true });
      show(run * N + prompt);
    } else if (dialog.open) dialog.close();
    if (!opens && !first) list.focus({ preventScroll: true });
  }

  // ---- events
  const changed = () => { $("lost").hidden = true; refresh(); address({}, false); };
  for (const node of controls.values()) node.addEventListener("change", changed);
  search.addEventListener("input", async () => {
    if (words === null && $("questions") && search.value) {
      words = index.titles.slice();
      try { words = (await unpacked("questions")) || words; } catch { /* ids and beginnings are searched all the same */ }
    }
    changed();
  });
  $("reset").addEventListener("click", () => {
    for (const node of [...controls.values(), search]) node.value = ANY;
    changed();
  });
  list.addEventListener("scroll", () => draw(), { passive: true });
  list.addEventListener("click", (event) => {
    const node = event.target.closest(".verdict");
    if (node) { go(Number(node.dataset.i)); show(shown[here], { push: true }); }
  });
  addEventListener("resize", () => refresh({ keep: true }));
  addEventListener("hashchange", () => follow());
  addEventListener("popstate", () => { if (!location.hash && dialog.open) dialog.close(); });

  const MOVES = new Map([
    ["j", 1], ["ArrowDown", 1], ["k", -1], ["ArrowUp", -1], ["PageDown", 10], ["PageUp", -10], ["Home", -1e9], ["End", 1e9],
  ]);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.closest?.("input, select, textarea");
    const done = () => event.preventDefault();
    if (dialog.open) {
      if (typing) return;
      const sideways = event.target.closest?.("pre, table") ? "" : event.key; // there an arrow scrolls
      if (event.key === "j") step(1);
      else if (event.key === "k") step(-1);
      else if (event.key === "l" || sideways === "ArrowRight") other(1);
      else if (event.key === "h" || sideways === "ArrowLeft") other(-1);
      else if (event.key === "r") $("raw").click();
      else return;
      done();
      return;
    }
    if (event.key === "Escape" && event.target === search) { list.focus(); return done(); }
    if (event.key === "Enter" && event.target === search) { list.focus(); return done(); }
    if (typing) return;
    const inList = document.activeElement === list;
    if (event.key === "/") { search.focus(); $("verdicts").scrollIntoView(); return done(); }
    if (MOVES.has(event.key) && (inList || event.key === "j" || event.key === "k")) {
      if (!inList) { list.focus(); return done(); }
      go(here + MOVES.get(event.key));
      return done();
    }
    if (inList && (event.key === "Enter" || event.key === " ") && shown.length) {
      show(shown[here], { push: true });
      done();
    }
  });

  // A cell of a heat map leads to its verdicts, as the names of its row and its column do one by one.
  document.addEventListener("click", (event) => {
    const cell = event.target.closest?.("table[data-kind] tbody td");
    if (!cell) return;
    const names = cell.closest("table").querySelectorAll("thead th");
    const links = [cell.parentNode.cells[0], names[cell.cellIndex]].map((head) => head.querySelector("a"));
    if (links.includes(null)) return;
    location.hash = links.map((link) => link.hash.slice(1)).join("&");
  });

  const printed = [];
  addEventListener("beforeprint", () => {
    for (const node of document.querySelectorAll("main details:not(.manifest)")) if (!node.open) { node.open = true; printed.push(node); }
  });
  addEventListener("afterprint", () => { for (const node of printed.splice(0)) node.open = false; });

  if (!("DecompressionStream" in window)) $("old").hidden = false;
  refresh();
  follow({ first: true });
  root.dataset.ready = "true";
})();
