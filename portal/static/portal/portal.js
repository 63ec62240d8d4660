// The few things that pages can't do without script. Nothing here is needed to get work done.
"use strict";

// A refused form says so first.
const showErrors = (root) => root.querySelector("[data-error-summary]")?.focus();
document.addEventListener("DOMContentLoaded", () => {
  showErrors(document);
  showButtons(document);
});
document.addEventListener("htmx:load", (event) => showButtons(event.target));

// Buttons that need script are shown by it, those for who has none are hidden.
const showButtons = (root) => {
  showCopyButtons(root);
  if (window.htmx) for (const button of root.querySelectorAll("[data-without-script]")) button.hidden = true;
};

// [data-copy="#list"] copies the lines of code in that list.
const showCopyButtons = (root) => {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
};
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const lines = [...document.querySelectorAll(`${button.dataset.copy} code`)].map((line) => line.textContent);
  await navigator.clipboard.writeText(lines.join("\n"));
  const label = button.textContent;
  button.textContent = button.dataset.copied;
  button.setAttribute("aria-live", "polite");
  setTimeout(() => { button.textContent = label; }, 2000);
});

// A form with [data-once] goes out once; the buttons come back with the page, even from the browser's memory.
const setBusy = (form, isBusy) => {
  form.toggleAttribute("data-sent", isBusy);
  for (const button of form.querySelectorAll("button:not([type])")) button.disabled = isBusy;
};
document.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-once]");
  if (!form) return;
  if (form.hasAttribute("data-sent")) event.preventDefault();
  else setTimeout(() => setBusy(form, true)); // after the browser has read which button it was
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("[data-sent]")) setBusy(form, false);
});

// Menus close by Escape and by a click elsewhere.
const closeMenus = (except) => {
  for (const menu of document.querySelectorAll(".menu[open]")) if (menu !== except) menu.open = false;
};
document.addEventListener("click", (event) => closeMenus(event.target.closest(".menu")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector(".menu[open]");
  closeMenus(null);
  menu?.querySelector("summary").focus();
});

// Keys on lists: tbody[data-keys] is walked with j and k from link to link (of a row the first, or that with
// [data-opens]), Enter opens (it is a link), / goes to the search, ? opens the help. Off while typing, with modifiers, or for good (the help's box; WCAG 2.1.4).
const help = () => document.getElementById("keys-help");
const keysAreOn = () => localStorage.getItem("keys") !== "off";
const rowLinks = () =>
  [...document.querySelectorAll("tbody[data-keys] tr")]
    .map((row) => row.querySelector("a[data-opens]") ?? row.querySelector("a[href]"))
    .filter(Boolean);
const walk = (step) => {
  const links = rowLinks();
  if (!links.length) return;
  const row = document.activeElement.closest("tbody[data-keys] tr");
  const here = row ? links.findIndex((link) => row.contains(link)) : -1;
  const next = here < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(here + step, 0), links.length - 1);
  links[next].focus();
  links[next].closest("tr").scrollIntoView({ block: "nearest" });
};
const KEYS = {
  j: () => walk(1),
  k: () => walk(-1),
  "/": () => document.querySelector("input[type=search]")?.focus(),
  "?": () => help()?.showModal(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help()?.open) return;
  if (event.target.closest("input, select, textarea, [contenteditable]") || !(event.key in KEYS)) return;
  if (!keysAreOn() || !document.body.classList.contains("staff")) return;
  event.preventDefault();
  KEYS[event.key]();
});
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-keys-help]")) {
    button.hidden = false;
    button.addEventListener("click", () => help().showModal());
  }
  const box = document.getElementById("keys-on");
  if (!box) return;
  box.checked = keysAreOn();
  box.addEventListener("change", () => localStorage.setItem("keys", box.checked ? "on" : "off"));
});
