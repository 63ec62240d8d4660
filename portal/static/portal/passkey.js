// Passkeys, which only script can ask the browser for; and recovery codes as a file. WebAuthn's options as JSON are
// read by webauthn-json.js, which comes with allauth.
"use strict";

const PROBLEMS = {
  InvalidStateError: "This device has a passkey of yours for the portal already.",
  NotAllowedError: "Nothing was confirmed: it was cancelled, or took too long. Try again.",
  SecurityError: "Passkeys need https and the portal's own name in the address.",
};

document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const button = form.querySelector("[data-passkey-button]");
    const problem = form.querySelector("[data-passkey-problem]");
    const say = (sentence) => { problem.textContent = sentence; problem.hidden = !sentence; };
    if (!window.PublicKeyCredential) {
      say("This browser has no passkeys.");
      continue;
    }
    button.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      say("");
      button.disabled = true;
      try {
        const credential = await window.webauthnJSON[form.dataset.passkey](JSON.parse(form.dataset.options));
        form.elements.credential.value = JSON.stringify(credential);
        form.submit();
      } catch (error) {
        say(PROBLEMS[error.name] ?? "This did not work. Try again, or use another way.");
        button.disabled = false;
      }
    });
  }
  for (const button of document.querySelectorAll("[data-download]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const lines = [...document.querySelectorAll(`${button.dataset.download} code`)].map((line) => line.textContent);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "text/plain" }));
      link.download = button.dataset.name;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }
});
