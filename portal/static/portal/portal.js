// The few things that pages can't do without script. Nothing here is needed to get work done.
"use strict";

// A refused form says so first.
const showErrors = (root) => root.querySelector("[data-error-summary]")?.focus();
document.addEventListener("DOMContentLoaded", () => {
  showErrors(document);
  showCopyButtons(document);
  if (window.htmx) for (const button of document.querySelectorAll("[data-without-script]")) button.hidden = true;
});
document.addEventListener("htmx:load", (event) => showCopyButtons(event.target));

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

// The user menu closes by Escape and by a click elsewhere.
const closeMenus = (except) => {
  for (const menu of document.querySelectorAll(".user-menu[open]")) if (menu !== except) menu.open = false;
};
document.addEventListener("click", (event) => closeMenus(event.target.closest(".user-menu")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector(".user-menu[open]");
  closeMenus(null);
  menu?.querySelector("summary").focus();
});
