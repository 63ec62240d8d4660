// The unlock code, version 1, read and verified: what dongles/unlock/ does in Python, whose docstring holds the format.
// Knows no page and sends nothing. Faults are told in the same words as there; tests compare the two.

export const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
export const ROW = 16;
export const CHECKS = 2;
export const WHOLE_ROW = ROW + CHECKS;
export const MOST_ROWS = 32; // a row's index is one letter
export const ROOT_SLOT = 255;

const VERSION = 1;
const OPERATIONS = ["set", "key"];
const DAY_ZERO = Date.UTC(2000, 0, 1);
const DAY = 24 * 60 * 60 * 1000;
const HEAD_BYTES = 14;
const LICENCE_BYTES = 4;
const KEY_BYTES = 33;
const SIGNATURE_BYTES = 64;
const MOST_LICENCES = 60;
const TAG_BYTES = 4;
const LONGEST_SERIAL = 32;
const CONTEXT = "SMA-UNLOCK/1\0";
const SKIPPED = new Set(" \t\r\n-");

const READ = new Map([...LETTERS].flatMap((letter, value) => [[letter, value], [letter.toLowerCase(), value]]));
for (const letter of "iIlL") READ.set(letter, 1);
for (const letter of "oO") READ.set(letter, 0);

// No code: the outcome `malformed`. `rows` are those, counted from 1, that were seen to be mistyped.
export class Malformed extends Error {
  constructor(sentence, rows = []) {
    super(sentence);
    this.rows = rows;
  }
}

export class NotASerial extends Error {}

// Letters

export const isSkipped = (letter) => SKIPPED.has(letter);

// What a letter stands for, from 0 to 31; none where it is no letter of a code.
export const valueOf = (letter) => READ.get(letter);

const times = (a, b) => {
  // The product in GF(32) with x⁵ + x² + 1.
  let product = 0;
  for (; b; b >>= 1) {
    if (b & 1) product ^= a;
    a <<= 1;
    if (a & 32) a ^= 0b100101;
  }
  return product;
};

// The two check values of a row's values, the row's index put into the first: row × x² by (x + 1)(x + 2).
export const checkValues = (values, index) => {
  let high = 0;
  let low = 0;
  for (const value of values) {
    const out = value ^ high;
    [high, low] = [low ^ times(3, out), times(2, out)];
  }
  return [high ^ index, low];
};

export const isRight = (row, index) => {
  if (row.length <= CHECKS) return false;
  const [high, low] = checkValues(row.slice(0, -CHECKS), index);
  return row[row.length - 2] === high && row[row.length - 1] === low;
};

export const readLetters = (text) => {
  const values = [];
  for (const letter of text) {
    if (isSkipped(letter)) continue;
    const value = valueOf(letter);
    if (value === undefined) {
      const row = Math.floor(values.length / WHOLE_ROW) + 1;
      throw new Malformed(`“${letter}” in row ${row} is no letter of a code`, [row]);
    }
    values.push(value);
  }
  return values;
};

export const rowsOf = (values) =>
  Array.from({ length: Math.ceil(values.length / WHOLE_ROW) }, (_, row) =>
    values.slice(row * WHOLE_ROW, (row + 1) * WHOLE_ROW));

// The rows, counted from 1, whose check letters are wrong.
export const wrongRows = (values) =>
  rowsOf(values).flatMap((row, index) => (isRight(row, index) ? [] : [index + 1]));

export const lettersOf = (values) => values.map((value) => LETTERS[value]).join("");

// A row as it is printed: `ABCD-EFGH-JKMN-PQRS TV`.
export const printedRow = (letters) =>
  `${letters.slice(0, -CHECKS).replace(/(.{4})(?=.)/g, "$1-")} ${letters.slice(-CHECKS)}`;

// The bytes of typed letters, or Malformed.
export const readCode = (text) => {
  const values = readLetters(text);
  if (!values.length) throw new Malformed("it is empty");
  if (values.length > MOST_ROWS * WHOLE_ROW) throw new Malformed("it is longer than any code");
  const wrong = wrongRows(values);
  if (wrong.length) {
    const rows = wrong.length > 1 ? `rows ${wrong.join(", ")}` : `row ${wrong[0]}`;
    throw new Malformed(`the check letters of ${rows} are wrong`, wrong);
  }
  const body = rowsOf(values).flatMap((row) => row.slice(0, -CHECKS));
  const spare = (body.length * 5) % 8;
  if (spare >= 5 || body[body.length - 1] & ((1 << spare) - 1)) throw new Malformed("its last letter does not end a byte");
  return bytesOf(body);
};

const bytesOf = (values) => {
  const bytes = new Uint8Array(Math.floor((values.length * 5) / 8));
  let bits = 0;
  let count = 0;
  let place = 0;
  for (const value of values) {
    bits = ((bits << 5) | value) & 0xfff;
    count += 5;
    if (count >= 8) {
      count -= 8;
      bytes[place] = bits >> count;
      place += 1;
    }
  }
  return bytes;
};

// The letters with the one letter of the one wrong row put right, if the whole code then verifies; else null.
export const correction = async (text, verifies) => {
  if ([...text].some((letter) => !isSkipped(letter) && valueOf(letter) === undefined)) return null;
  const values = readLetters(text);
  const wrong = wrongRows(values);
  if (values.length > MOST_ROWS * WHOLE_ROW || wrong.length !== 1) return null;
  const index = wrong[0] - 1;
  const start = index * WHOLE_ROW;
  const row = values.slice(start, start + WHOLE_ROW);
  for (const place of row.keys()) {
    for (let value = 0; value < LETTERS.length; value += 1) {
      const tried = [...row.slice(0, place), value, ...row.slice(place + 1)];
      if (!isRight(tried, index)) continue;
      const letters = lettersOf([...values.slice(0, start), ...tried, ...values.slice(start + row.length)]);
      if (await readsAndVerifies(letters, verifies)) return letters;
    }
  }
  return null;
};

const readsAndVerifies = async (letters, verifies) => {
  try {
    return await verifies(readCode(letters));
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
};

// Fields

export const hexOf = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const bytesOfHex = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

// A day's number as 2027-03-31.
export const dayOf = (number) => new Date(DAY_ZERO + number * DAY).toISOString().slice(0, 10);

// How many bytes a code has that begins with these; none where these are no such beginning.
export const lengthFrom = (head) => {
  if (head.length < HEAD_BYTES || head[0] >> 4 !== VERSION) return undefined;
  const count = head[13];
  if (head[0] % 16 >= OPERATIONS.length || count > MOST_LICENCES) return undefined;
  return HEAD_BYTES + count * LICENCE_BYTES + (head[0] % 16 ? KEY_BYTES : 0) + SIGNATURE_BYTES;
};

// The fields of a code's bytes, or Malformed.
export const parse = (code) => {
  if (code.length < HEAD_BYTES + SIGNATURE_BYTES) throw new Malformed("it is too short");
  const view = new DataView(code.buffer, code.byteOffset, code.length);
  const operation = OPERATIONS[code[0] & 15];
  if (code[0] >> 4 !== VERSION || !operation) throw new Malformed("its version or operation is unknown");
  const [slot, generation, sequence, count] = [code[1], code[6], view.getUint16(7), code[13]];
  if (!sequence || count > MOST_LICENCES) {
    throw new Malformed("its sequence number is 0 or it states too many products");
  }
  const isKey = operation === "key";
  const end = HEAD_BYTES + LICENCE_BYTES * count + (isKey ? KEY_BYTES : 0);
  if (code.length !== end + SIGNATURE_BYTES) throw new Malformed("its length is not what it states");
  const newSlot = isKey ? code[HEAD_BYTES] : null;
  if (isKey && (slot !== ROOT_SLOT || newSlot === ROOT_SLOT || count)) {
    throw new Malformed("a KEY code is signed by the root, for a slot 0–254, without licences");
  }
  const licences = Array.from({ length: count }, (_, place) => {
    const at = HEAD_BYTES + LICENCE_BYTES * place;
    return [view.getUint16(at), view.getUint16(at + 2)];
  });
  if (licences.some(([product, seats], place) => product <= (licences[place - 1]?.[0] ?? 0) || !seats)) {
    throw new Malformed("products are 1–65535 in ascending order, none twice, with 1–65535 seats each");
  }
  return {
    operation,
    slot,
    tag: hexOf(code.slice(2, 2 + TAG_BYTES)),
    generation,
    sequence,
    expiry: dayOf(view.getUint16(9)),
    issued: dayOf(view.getUint16(11)),
    licences,
    newSlot,
    newKey: isKey ? hexOf(code.slice(HEAD_BYTES + 1, end)) : null,
    body: code.slice(0, end),
    signature: code.slice(end),
  };
};

// Whose it is

// The one spelling of a serial, or NotASerial.
export const canonicalSerial = (text) => {
  const serial = text.replace(/[ -]/g, "").replace(/[a-z]/g, (letter) => letter.toUpperCase());
  if (!serial) throw new NotASerial("it is empty");
  const foreign = serial.match(/[^A-Z0-9]/u);
  if (foreign) throw new NotASerial(`“${foreign[0]}” is neither a letter A–Z nor a digit`);
  if (serial.length > LONGEST_SERIAL) {
    throw new NotASerial(`it is longer than ${LONGEST_SERIAL} letters and digits`);
  }
  return serial;
};

const ascii = (text) => new TextEncoder().encode(text);

export const messageFor = (serial, body) =>
  new Uint8Array([...ascii(CONTEXT), serial.length, ...ascii(serial), ...body]);

export const dongleTag = async (serial) =>
  hexOf(new Uint8Array(await crypto.subtle.digest("SHA-256", ascii(serial))).slice(0, TAG_BYTES));

// Any point of the curve, to find out whether this browser knows the signature at all.
const A_POINT = bytesOfHex(`58${"66".repeat(31)}`);
const importKey = (key) => crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);

// Whether this browser can verify; it can't where it is old, or where the page came without https.
export const canVerify = async () => {
  try {
    await importKey(A_POINT);
    return true;
  } catch {
    return false;
  }
};

// Whether the signature is this key's; a key that is none verifies nothing. Asks for a browser that can verify.
export const isSigned = async (serial, body, signature, publicKey) => {
  let key;
  try {
    key = await importKey(publicKey);
  } catch {
    return false;
  }
  return crypto.subtle.verify("Ed25519", key, signature, messageFor(serial, body));
};

// What a dongle of that serial says to a parsed code before it looks at its own number, in its order; `keys` are its
// public keys by slot.
export const judge = async (parsed, serial, keys) => {
  if (parsed.tag !== (await dongleTag(serial))) return "wrong_dongle";
  const key = keys.get(parsed.slot);
  if (!key) return "unknown_key";
  return (await isSigned(serial, parsed.body, parsed.signature, key)) ? "genuine" : "bad_signature";
};
