// The page "Check an unlock code": what was typed, as rows, and what the code would do, in words. Everything happens here:
// nothing is sent, nothing is kept. Texts go into the page as text, never as HTML.

import {
  Malformed, MOST_ROWS, NotASerial, ROOT_SLOT, WHOLE_ROW, bytesOfHex, canVerify, canonicalSerial, correction, dongleTag,
  isSigned, judge, parse, printedRow, readCode,
} from "./unlock-code.js";
import { inOrder, missingRows, numberedCodes, plainText, typedRows } from "./typed-rows.js";

const LONGEST_FILE = 65_536;
const LONGEST_TEXT = 20_000;
const SAY_AFTER = 700; // milliseconds without a keystroke, then screen readers are told
const LOOK_EVERY = 200; // milliseconds between two looks through the camera
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const find = (name) => document.querySelector(`[data-check-code~="${name}"]`);
const place = {
  page: find("page"), serial: find("serial"), serialError: find("serial-error"), code: find("code"), note: find("note"),
  rows: find("rows"), result: find("result"), said: find("said"), file: find("file"), scan: find("scan"),
  camera: find("camera"), video: find("video"), stop: find("stop"), clear: find("clear"),
};
const known = JSON.parse(document.getElementById("check-code-known").textContent);
const keys = new Map(known.keys.map(({ slot, key }) => [slot, bytesOfHex(key)]));
const products = new Map(known.products);

// Words

const day = (iso) => `${Number(iso.slice(8))} ${MONTHS[Number(iso.slice(5, 7)) - 1]} ${iso.slice(0, 4)}`;
const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
const rowsInWords = (indexes) => {
  const runs = [];
  for (const index of indexes) {
    const last = runs[runs.length - 1];
    if (last && last[1] === index - 1) last[1] = index;
    else runs.push([index, index]);
  }
  const words = runs.map(([from, to]) => (from === to ? `${from + 1}` : `${from + 1}${to === from + 1 ? " and " : " to "}${to + 1}`));
  const listed = words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}` : words[0];
  return `${indexes.length > 1 ? "rows" : "row"} ${listed}`;
};
const sentence = (words) => words[0].toUpperCase() + words.slice(1);
const MIXED_UP = "Compare it with the print letter by letter: 8 and B, 5 and S, 2 and Z are easily mixed up.";

const rowInWords = (row) => {
  const apart = Math.abs(row.count - row.asLong);
  return {
    right: "Right",
    unfinished: `${row.count} of ${row.asLong} letters`,
    foreign: /u/i.test(row.foreign) ? "Codes have no U: is it a V?" : `“${row.foreign}” is no letter of a code`,
    short: `${count(apart, "letter")} missing`,
    long: `${count(apart, "letter")} too many`,
    elsewhere: `Looks like row ${row.home + 1}`,
    extra: "One row too many",
    wrong: row.mend ? `Letter ${row.mend.at + 1}: ${row.mend.letter}, not ${row.letters[row.mend.at]}` : "Check letters do not fit",
  }[row.state];
};

// What is known about a text: {title, sentences, tone, rows, parsed, mend}. Tone is right, wrong or waiting.

const examine = async (text, serial) => {
  const typed = typedRows(text);
  const { rows } = typed;
  if (!rows.length) {
    return { typed, tone: "waiting", title: "Nothing to check yet", sentences: ["Type, paste, scan or open a code: what it will do then stands here."] };
  }
  if (text.length > LONGEST_TEXT || typed.isLonger) {
    return { typed, tone: "wrong", title: "This is longer than any code", sentences: [`A code has at most ${MOST_ROWS} rows. Put in one code alone.`] };
  }
  const wrong = rows.filter(({ state }) => state !== "right" && state !== "unfinished");
  if (wrong.length) return wrongRowsFound(text, serial, typed, wrong);
  if (!isWhole(typed)) return unfinished(typed);
  try {
    return await read(parse(readCode(text)), serial, typed);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { typed, tone: "wrong", title: "This is no unlock code", sentences: [`Its rows are right in themselves, but ${error.message}. Copy the code anew from where it came.`] };
  }
};

const isWhole = ({ rows, shape }) =>
  (shape ? rows.length === shape.count : rows.length > 1) && rows[rows.length - 1].state !== "unfinished";

const unfinished = (typed) => {
  const { rows, shape } = typed;
  const right = rows.flatMap((row, index) => (row.state === "right" ? [index] : []));
  const sentences = [];
  if (right.length) sentences.push(`${sentence(rowsInWords(right))} ${right.length > 1 ? "are" : "is"} right.`);
  const last = rows[rows.length - 1];
  if (right.length < rows.length) sentences.push(`Row ${rows.length} is unfinished.`);
  if (last.state === "unfinished" && last.home === rows.length - 1) {
    sentences.push("As it stands it would end a shorter code: rows of two codes may be mixed.");
  }
  const left = shape ? shape.count - rows.length : 0;
  if (left) sentences.push(`${count(left, "more row")} to come.`);
  else if (!shape) sentences.push("How many rows there are shows after the second.");
  return { typed, tone: "waiting", title: "Not complete yet", sentences };
};

const wrongRowsFound = async (text, serial, typed, wrong) => {
  const { rows, shape, byLine } = typed;
  const indexes = wrong.map((row) => rows.indexOf(row));
  const found = { typed, tone: "wrong", sentences: [], title: `${sentence(rowsInWords(indexes))} ${indexes.length > 1 ? "are" : "is"} not right yet` };
  const ordered = inOrder(typed);
  const missing = missingRows(typed);
  if (ordered) {
    found.title = "The rows are in another order";
    found.sentences.push("Each row is right in itself, but not where it stands.");
    found.mend = { label: "Put the rows in order", text: ordered };
  } else if (missing.length) {
    found.sentences.push(`${sentence(rowsInWords(missing))} ${missing.length > 1 ? "seem" : "seems"} to be missing. Put ${missing.length > 1 ? "them" : "it"} in before row ${rows[missing[0]].home + 1}.`);
  } else if (rows.length > 1 && wrong.length === rows.length && !wrong.some(({ state }) => state === "elsewhere")) {
    found.title = "This does not look like an unlock code";
    found.hasNoRows = true;
    found.sentences.push("A code has rows of 16 letters and digits and two check letters, such as ABCD-EFGH-JKMN-PQRS TV. Copy it from the mail that brought it, or open its file.");
  } else if (!byLine && wrong.length > 1 && rows.slice(indexes[0]).every(({ state }) => state !== "right")) {
    found.sentences.push(`From row ${indexes[0] + 1} on no row is right: a letter may be missing there, or stand there twice.`);
  } else {
    await lookForTheLetter(text, serial, typed, wrong, found);
  }
  return found;
};

const lookForTheLetter = async (text, serial, { rows, shape }, wrong, found) => {
  const [row] = wrong;
  const index = rows.indexOf(row);
  if (wrong.length > 1 || row.state !== "wrong") {
    found.sentences.push(wrong.some(({ state }) => state === "extra") ? `The code that begins here ends with row ${shape.count}. Take away what stands behind it; rows of two codes may be mixed.` : "What is wrong stands beside each row.");
    return;
  }
  if (isWhole({ rows, shape }) && !serial) {
    found.sentences.push("Type the serial number of the dongle too: then this page can look for the mistyped letter.", MIXED_UP);
    return;
  }
  const corrected = serial && (await canVerify()) ? await correction(text, (code) => isGenuine(code, serial)) : null;
  if (!corrected) {
    found.sentences.push(`Its check letters do not fit. ${MIXED_UP}`);
    return;
  }
  const letters = corrected.slice(index * WHOLE_ROW, (index + 1) * WHOLE_ROW);
  const at = [...letters].findIndex((letter, position) => letter !== row.letters[position]);
  row.mend = { at, letter: letters[at] };
  found.sentences.push(`Letter ${at + 1} of row ${index + 1} should be ${letters[at]}, not ${row.letters[at]}: with it the code is genuine. The row then reads ${printedRow(letters)}.`);
  found.mend = { label: "Put it right", text: corrected.match(new RegExp(`.{1,${WHOLE_ROW}}`, "g")).map(printedRow).join("\n") };
};

const isGenuine = async (code, serial) => (await judge(parse(code), serial, keys)) === "genuine";

// Whose a complete code is, and whether a dongle would believe it.
const read = async (parsed, serial, typed) => {
  const found = { typed, parsed, tone: "wrong", sentences: [] };
  const outcome = await outcomeOf(parsed, serial);
  found.outcome = outcome;
  const stranger = `Do not use it. Copy the code anew from the mail that brought it; if it stays like this, write to ${known.email}.`;
  const words = {
    unchecked: ["waiting", "The letters are right; who made it is not checked yet", "Type the serial number of the dongle: it is part of what is signed, so only with it the signature can be checked."],
    cannot_verify: ["waiting", "The letters are right, but this browser can’t check the signature", `Open this page in an up-to-date browser, or send the code to ${known.email}. The dongle itself checks the signature in any case.`],
    wrong_dongle: ["wrong", "This code is for another dongle", `Dongle ${serial} would refuse it. Check the serial number, which is printed on the dongle, and that no rows of another code got in.`],
    unknown_key: ["wrong", "This code is signed with a key that is not known here", `It names a key that ${known.vendor} does not use. ${stranger}`],
    bad_signature: ["wrong", "The signature is wrong", `Each row is right in itself, but ${known.vendor} has not signed them together for dongle ${serial}: rows of two codes may be mixed, or somebody else made it. A dongle refuses it. ${stranger}`],
    demo: ["wrong", "This code was made for trying things out", `It is signed with a key that everybody can compute. Dongles of ${known.vendor} refuse it. ${stranger}`],
    genuine: ["right", `Genuine, and made for dongle ${serial}`, ""],
  }[outcome];
  [found.tone, found.title] = words;
  if (words[2]) found.sentences.push(words[2]);
  if (outcome === "genuine" && known.isDemo) {
    found.sentences.push("This portal is a demo: its codes are signed with a key that everybody can compute. No real dongle takes them.");
  }
  return found;
};

const outcomeOf = async (parsed, serial) => {
  if (!serial) return "unchecked";
  if (!(await canVerify())) {
    const tag = await dongleTag(serial).catch(() => parsed.tag);
    return tag === parsed.tag ? "cannot_verify" : "wrong_dongle";
  }
  const outcome = await judge(parsed, serial, keys);
  if (outcome !== "unknown_key" && outcome !== "bad_signature") return outcome;
  for (const key of known.demoKeys) {
    if (await isSigned(serial, parsed.body, parsed.signature, bytesOfHex(key))) return "demo";
  }
  return outcome;
};

// The page

const make = (tag, className, ...children) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
};

const fact = (name, ...children) => make("div", "", make("dt", "", name), make("dd", "", ...children));

const licence = ([product, seats]) => {
  const name = products.get(product);
  return make("li", "", `${name ?? `Product number ${product}, which has no name here`}, ${count(seats, "seat")}`);
};

const factsOf = ({ parsed, outcome }, serial) => {
  const facts = [];
  const fits = ["genuine", "bad_signature", "unknown_key", "demo"].includes(outcome);
  if (parsed.operation === "set") {
    facts.push(fact("SMA expiry date it sets", make("strong", "", day(parsed.expiry)), make("small", "", "Versions released by this day run.")));
    const licences = parsed.licences.length ? make("ul", "plain-list", ...parsed.licences.map(licence)) : "None: it empties the dongle";
    facts.push(fact("Licences it sets, all that the dongle then carries", licences));
  } else {
    facts.push(fact("What it does", `Gives the dongle a new key, by which it knows codes of ${known.vendor} from then on. SMA expiry date and licences stay as they are.`));
  }
  facts.push(fact("Dongle", fits ? serial : "Not known: a code holds only a fingerprint of the serial number"));
  facts.push(fact("Issued", day(parsed.issued)));
  const later = parsed.generation ? " A later generation comes after an earlier one, whatever the numbers." : "";
  facts.push(fact("Code number", `${parsed.sequence}${parsed.generation ? ` of generation ${parsed.generation}` : ""}`, make("small", "", `A dongle takes a code only if its number is higher than that of the last.${later}`)));
  facts.push(fact("Signature", signatureInWords(parsed, outcome)));
  facts.push(fact("For our support", make("small", "code", exactNumbers(parsed))));
  return make("dl", "facts facts-column", ...facts);
};

// Whose key it is; of a code that nobody has verified only what it says of itself.
const signatureInWords = ({ slot }, outcome) => {
  if (!keys.has(slot)) return `It says that it is signed with a key that ${known.vendor} does not use`;
  let whose = `${known.vendor}’s key`;
  if (slot === ROOT_SLOT) whose = `${known.vendor}’s root key, which is kept offline`;
  else if (slot !== known.signingSlot) whose = `another key of ${known.vendor}’s, which does not sign new codes today`;
  return outcome === "genuine" ? `Signed by ${whose}` : `It says that it is signed by ${whose}`;
};

const exactNumbers = ({ generation, sequence, slot, newSlot, tag }) =>
  `number ${generation}-${sequence}, key slot ${slot}${newSlot === null ? "" : `, new key for slot ${newSlot}`}, fingerprint ${tag}`;

const nextSteps = (serial) => [
  make("h3", "", "Next"),
  make(
    "ol",
    "check-code-steps",
    make("li", "", `Plug in dongle ${serial}.`),
    make("li", "", "Where your software asks for the unlock code, type or paste these rows, or load the code’s file."),
    make("li", "", "The dongle shows a receipt of eight letters and digits: enter it on the page of the code after you log in, or reply with it to the mail that brought the code."),
  ),
  make("p", "quiet", "What only the dongle can tell: whether it has a later code already. Then it refuses this one and keeps what it holds."),
];

const grouped = (row) => {
  const body = row.state === "right" || row.mend || row.count > 16 ? Math.max(row.count - 2, 1) : row.count;
  return row.letters.flatMap((letter, at) => {
    const isMarked = row.mend ? row.mend.at === at : row.foreign && letter === row.foreign;
    const shown = isMarked ? make("mark", "", letter) : letter;
    const before = at && at === Math.min(body, 16) ? " " : at && at < 16 && at % 4 === 0 ? "-" : "";
    return before ? [before, shown] : [shown];
  });
};

const showRows = (rows) => {
  place.rows.hidden = !rows.length;
  place.rows.replaceChildren(...rows.map((row) => {
    const line = make("code", "", ...grouped(row));
    return make("li", `typed-row typed-row-${{ right: "right", unfinished: "unfinished" }[row.state] ?? "wrong"}`, line, " ", make("span", "typed-row-state", rowInWords(row)));
  }));
};

const showResult = (found, serial) => {
  const parts = [make("h2", "", found.title), ...found.sentences.map((words) => make("p", "", words))];
  if (found.mend) {
    const button = make("button", "button-primary", found.mend.label);
    button.type = "button";
    button.addEventListener("click", () => {
      place.code.value = found.mend.text;
      place.code.focus();
      update();
    });
    parts.push(make("p", "button-row", button));
  }
  if (found.parsed) parts.push(factsOf(found, serial));
  if (found.outcome === "genuine") parts.push(...nextSteps(serial));
  place.result.className = `card check-code-result check-code-${found.tone}`;
  place.result.replaceChildren(...parts);
};

const typedSerial = () => {
  const text = plainText(place.serial.value).trim();
  let problem = "";
  let serial = "";
  try {
    if (text) serial = canonicalSerial(text);
  } catch (error) {
    if (!(error instanceof NotASerial)) throw error;
    problem = `This is not a serial number: ${error.message}.`;
  }
  place.serialError.hidden = !problem;
  place.serialError.textContent = problem;
  place.serial.toggleAttribute("aria-invalid", false);
  if (problem) place.serial.setAttribute("aria-invalid", "true");
  return serial;
};

const NOTES = [
  "",
  "The rows were taken without their numbers and what stands around them. Leave these out for the dongle, too.",
  "Several codes stand there. The one for the serial number above was taken, or else the first.",
];

// Of several codes that of the dongle; the first where none is, or none says so.
const codeFor = async (serial, codes) => {
  const tag = serial && codes.length > 1 ? await dongleTag(serial).catch(() => "") : "";
  return codes.find((code) => tag && tagIn(code) === tag) ?? codes[0];
};

const tagIn = (text) => {
  try {
    return parse(readCode(text)).tag;
  } catch {
    return undefined;
  }
};

let round = 0;
let saying;
const update = async () => {
  round += 1;
  const mine = round;
  const serial = typedSerial();
  const text = plainText(place.code.value).slice(0, LONGEST_TEXT + 1);
  const codes = numberedCodes(text);
  const found = await examine(codes.length ? await codeFor(serial, codes) : text, serial);
  if (mine !== round) return; // something else was typed meanwhile
  place.note.textContent = NOTES[Math.min(codes.length, 2)];
  place.note.hidden = !codes.length;
  place.clear.hidden = !place.code.value;
  showRows(found.hasNoRows ? [] : found.typed.rows);
  showResult(found, serial);
  clearTimeout(saying);
  saying = setTimeout(() => {
    const said = [place.serialError.textContent, ...(place.code.value ? [found.title, ...found.sentences] : [])].join(" ");
    if (place.said.textContent !== said) place.said.textContent = said;
  }, SAY_AFTER);
};

const put = (text, serial = "") => {
  place.code.value = text;
  if (serial && !place.serial.value.trim()) place.serial.value = serial;
  update();
};

const refuse = (title, words) => {
  round += 1;
  showResult({ title, sentences: [words], tone: "wrong" }, "");
  place.said.textContent = `${title}. ${words}`;
};

// Files are named SERIAL-GENERATION-SEQUENCE.smacode.
const open = async (file) => {
  if (!file) return;
  if (file.size > LONGEST_FILE) {
    refuse("This file is too large for a code", "Choose the file that came with the code; it has less than one kilobyte.");
    return;
  }
  put((await file.text()).trim(), file.name.match(/^([A-Z0-9]{1,32})-\d+-\d+\b/i)?.[1]);
};

place.file.addEventListener("change", () => {
  open(place.file.files[0]);
  place.file.value = "";
});
place.page.addEventListener("dragover", (event) => {
  if (event.dataTransfer.types.includes("Files")) event.preventDefault();
});
place.page.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  open(event.dataTransfer.files[0]);
});

// The camera, where the browser finds QR codes by itself

let stream;
const stopCamera = () => {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = undefined;
  place.video.srcObject = null;
  if (!place.camera.hidden) {
    place.camera.hidden = true;
    place.scan.hidden = false;
  }
};

const CAMERA_PROBLEMS = {
  NotAllowedError: "The camera was not allowed. Allow it for this page, or type the rows.",
  NotFoundError: "This device has no camera. Type the rows, or open the code’s file.",
};

const scan = async () => {
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch (error) {
    refuse("No picture", CAMERA_PROBLEMS[error.name] ?? "The camera does not answer. Type the rows, or open the code’s file.");
    return;
  }
  if (document.hidden) {
    stopCamera();
    return;
  }
  place.camera.hidden = false;
  place.scan.hidden = true;
  place.stop.focus();
  place.video.srcObject = stream;
  await place.video.play().catch(() => {});
  const detector = new window.BarcodeDetector({ formats: ["qr_code"] });
  const own = stream;
  while (stream === own) {
    const [code] = await detector.detect(place.video).catch(() => []);
    if (stream !== own) return;
    if (code) {
      stopCamera();
      put(code.rawValue);
      place.code.focus();
      return;
    }
    await new Promise((resolve) => { setTimeout(resolve, LOOK_EVERY); });
  }
};

const offerCamera = async () => {
  if (!window.BarcodeDetector || !navigator.mediaDevices) return;
  const formats = await window.BarcodeDetector.getSupportedFormats().catch(() => []);
  place.scan.hidden = !formats.includes("qr_code");
};
place.scan.addEventListener("click", scan);
place.stop.addEventListener("click", () => {
  stopCamera();
  place.scan.focus();
});
window.addEventListener("pagehide", stopCamera);
document.addEventListener("visibilitychange", () => { if (document.hidden) stopCamera(); });

// From here on

place.clear.addEventListener("click", () => {
  put("");
  place.code.focus();
});
place.serial.addEventListener("input", update);
place.code.addEventListener("input", update);
const fromAddress = () => {
  // Mails name the dongle behind the #, which browsers keep to themselves.
  const serial = location.hash.slice(1);
  if (/^[A-Z0-9]{1,32}$/.test(serial)) place.serial.value = serial;
};
window.addEventListener("hashchange", () => {
  fromAddress();
  update();
});
fromAddress();
document.getElementById("check-code-needs-script").hidden = true;
place.page.hidden = false;
offerCamera();
update();
