// Keyboard and copying; every page works without it.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "/") {
    const search = document.querySelector("#list-search") || document.querySelector("#global-search");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "j" || event.key === "k") {
    moveRow(event.key === "j" ? 1 : -1);
  }
});

// Moves the focus from one line of the list to the next; Enter then opens it, because it is a link.
function moveRow(step) {
  const links = [...document.querySelectorAll("[data-row-link]")];
  if (links.length === 0) return;
  const now = links.indexOf(document.activeElement);
  const next = now < 0 ? (step > 0 ? 0 : links.length - 1) : now + step;
  links[Math.min(Math.max(next, 0), links.length - 1)].focus();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Press Ctrl-C";
    getSelection().selectAllChildren(document.getElementById(button.dataset.copyFrom) || button);
  }
});

// Suggestions while a filter is typed: a list under the field, after ARIA's combobox pattern. Nothing is chosen until an
// arrow key chooses it, so Enter goes on meaning "search".
for (const input of document.querySelectorAll("[data-suggest]")) suggestFor(input);

function suggestFor(input) {
  const box = document.createElement("div");
  const list = document.createElement("div");
  const matches = document.createElement("div");
  box.className = "suggestions";
  box.hidden = true;
  list.id = `${input.id}-suggestions`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  matches.className = "matches";
  matches.setAttribute("aria-live", "polite");
  box.append(list, matches);
  input.parentElement.append(box);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");

  let answer = null;
  let chosen = -1;
  let asked = 0;
  let timer = 0;

  const close = () => {
    box.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (at) => {
    const options = list.children;
    if (options.length === 0) return;
    chosen = (at + options.length) % options.length;
    for (const [place, option] of [...options].entries()) option.setAttribute("aria-selected", String(place === chosen));
    options[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[chosen].id);
  };
  const accept = (at) => {
    const item = answer.items[at];
    const rest = input.value.slice(answer.end);
    const space = rest.startsWith(" ") ? "" : " ";
    input.value = input.value.slice(0, answer.begin) + item.text + space + rest;
    const cursor = answer.begin + item.text.length + 1;
    input.setSelectionRange(cursor, cursor);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const show = () => {
    list.replaceChildren(...answer.items.map((item, place) => {
      const option = document.createElement("div");
      const label = document.createElement("span");
      const note = document.createElement("span");
      option.id = `${list.id}-${place}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      label.textContent = item.label;
      note.className = "hint";
      note.textContent = item.note;
      option.append(label, note);
      option.addEventListener("mousedown", (event) => {
        event.preventDefault();
        accept(place);
      });
      return option;
    }));
    matches.textContent = answer.count;
    chosen = -1;
    box.hidden = false;
    input.setAttribute("aria-expanded", "true");
    input.removeAttribute("aria-activedescendant");
  };
  const ask = async () => {
    const number = ++asked;
    if (input.value.trim() === "") {
      close();
      return;
    }
    const query = new URLSearchParams({ q: input.value, at: input.selectionStart });
    try {
      const response = await fetch(`/search/suggest/?${query}`, { headers: { accept: "application/json" } });
      if (!response.ok || number !== asked || document.activeElement !== input) return;
      answer = await response.json();
      show();
    } catch {
      close();
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 150);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (box.hidden) {
      if (event.key === "ArrowDown" && input.value.trim() !== "") ask();
      return;
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(event.key === "ArrowDown" ? chosen + 1 : chosen - 1);
    } else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) {
      event.preventDefault();
      accept(chosen);
    } else if (event.key === "Escape") {
      // A search field would be emptied, too.
      event.preventDefault();
      event.stopPropagation();
      close();
    }
  });
  input.form.addEventListener("submit", close);
}

// Values with their numbers in the builder, as the browser's own list of a field. The builder comes anew with each change,
// so the field is found when it is used.
const offerValues = async (input, typed) => {
  const query = new URLSearchParams({ q: `${input.dataset.valuesOf}"${typed.replace(/["\\]/g, "\\$&")}` });
  const response = await fetch(`/search/suggest/?${query}`, { headers: { accept: "application/json" } }).catch(() => null);
  if (!response?.ok || !input.isConnected) return;
  const { items } = await response.json();
  let list = input.list;
  if (!list) {
    list = document.createElement("datalist");
    list.id = `${input.name}-values`;
    input.after(list);
    input.setAttribute("list", list.id);
  }
  list.replaceChildren(...items.map((item) => new Option(item.note, item.label)));
};
let offering = 0;
for (const kind of ["focusin", "input"]) {
  document.addEventListener(kind, (event) => {
    if (!event.target.matches?.("[data-values-of]")) return;
    clearTimeout(offering);
    // Whoever comes to a field that is filled in may want another value.
    offering = setTimeout(offerValues, 150, event.target, kind === "input" ? event.target.value : "");
  });
}
