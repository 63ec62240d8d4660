// What was typed, row by row: which rows are right, and what may have happened to those that are not. Only a help for
// who types; whether it is a code, unlock-code.js says. Knows no page.

import {
  CHECKS, MOST_ROWS, ROW, WHOLE_ROW, checkValues, isSkipped, lengthFrom, lettersOf, readCode, readLetters, valueOf,
} from "./unlock-code.js";

// Pasted text with plain spaces and hyphens (dongles/forms.py has the same).
export const plainText = (text) => text.replace(/[‐‑‒–—−]/g, "-").replace(/\p{Zs}/gu, " ");

const linesOf = (text) => text.split(/[\r\n]+/).filter((line) => lettersIn(line).length);
const lettersIn = (text) => [...text].filter((letter) => !isSkipped(letter));

// Lines that somebody meant as rows, one letter more or less forgiven.
const areRows = (lines) => {
  const lengths = lines.slice(0, -1).map((line) => lettersIn(line).length);
  const whole = lengths.filter((length) => length === WHOLE_ROW).length;
  const areNear = lengths.every((length) => length >= WHOLE_ROW - 3) || whole * 2 >= lengths.length;
  return lines.length > 1 && areNear && lines.every((line) => lettersIn(line).length <= WHOLE_ROW + 3);
};

// Codes copied with the printed numbers of their rows, from a mail perhaps with everything around them: each as text
// without the numbers. A code begins where the numbers begin at 1 and goes on while they count up.
export const numberedCodes = (text) => {
  const codes = [];
  for (const line of text.split(/[\r\n]+/)) {
    const [, number, row] = line.match(/^[>\s]*(\d{1,2})[.:)]?\s+(\S.*)$/) ?? [];
    if (!number || lettersIn(row).length <= CHECKS) continue;
    if (Number(number) === 1) codes.push([row]);
    else if (codes.length && Number(number) === codes[codes.length - 1].length + 1) codes[codes.length - 1].push(row);
  }
  return codes.filter(areRows).map((rows) => rows.join("\n"));
};

// The rows as somebody typed them: by their lines where these are rows, else eighteen letters each.
const piecesOf = (text) => {
  const lines = linesOf(text);
  if (areRows(lines) && !readsAsRows(text)) return { byLine: true, pieces: lines.map(lettersIn) };
  const letters = lettersIn(text);
  const count = Math.ceil(letters.length / WHOLE_ROW);
  const pieces = Array.from({ length: count }, (_, row) => letters.slice(row * WHOLE_ROW, (row + 1) * WHOLE_ROW));
  return { byLine: false, pieces };
};

const readsAsRows = (text) => {
  try {
    readCode(text);
    return true;
  } catch {
    return false;
  }
};

// The index of the row for which these values are right: row swaps show in the first check letter alone.
const homeOf = (values) => {
  if (values.length <= CHECKS) return undefined;
  const [high, low] = checkValues(values.slice(0, -CHECKS), 0);
  const home = high ^ values[values.length - 2];
  return values[values.length - 1] === low && home < MOST_ROWS ? home : undefined;
};

// How many rows the code has and how long the last one is, once its first two rows are there.
const shapeFrom = (rows) => {
  const [first, second] = [0, 1].map((home) => rows.find((row) => row.home === home && row.count === WHOLE_ROW));
  if (!first || !second) return undefined;
  const values = [...first.values.slice(0, ROW), ...second.values.slice(0, ROW)];
  const bits = values.map((value) => value.toString(2).padStart(5, "0")).join("");
  const bytes = lengthFrom(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  if (!bytes) return undefined;
  const letters = Math.ceil((bytes * 8) / 5);
  const count = Math.ceil(letters / ROW);
  return { count, lastRow: letters - ROW * (count - 1) + CHECKS };
};

// One of: right · unfinished · foreign (a letter that no code has) · short, long (letters missing, or too many) ·
// elsewhere (right as row `home`) · extra (behind the last row) · wrong (the check letters don't fit).
const stateOf = (row, index, isLast, shape) => {
  const { asLong } = row;
  if (row.foreign) return "foreign";
  if (shape && index >= shape.count) return "extra";
  if (row.home === index && (row.count === asLong || (!shape && isLast))) return "right";
  const fits = shape ? row.count === (row.home === shape.count - 1 ? shape.lastRow : WHOLE_ROW) : row.count === WHOLE_ROW;
  if (row.home !== undefined && row.home !== index && fits && row.home < (shape?.count ?? MOST_ROWS)) return "elsewhere";
  if (row.count > asLong) return "long";
  if (row.count < asLong) return isLast ? "unfinished" : "short";
  return "wrong";
};

// {rows, shape, byLine, isLonger}: what was typed, as rows, the first 32 of them. Rows are counted from 0 here, by what a dongle could still make of it.
export const typedRows = (text) => {
  const { byLine, pieces } = piecesOf(text);
  const rows = pieces.slice(0, MOST_ROWS).map((letters) => {
    const foreign = letters.find((letter) => valueOf(letter) === undefined);
    const values = foreign ? [] : readLetters(letters.join(""));
    return {
      letters: letters.map((letter) => (valueOf(letter) === undefined ? letter : lettersOf([valueOf(letter)]))),
      values,
      foreign,
      count: letters.length,
      home: homeOf(values),
    };
  });
  const shape = shapeFrom(rows);
  for (const [index, row] of rows.entries()) {
    row.asLong = shape && index === shape.count - 1 ? shape.lastRow : WHOLE_ROW;
    row.state = stateOf(row, index, index === rows.length - 1, shape);
  }
  return { rows, shape, byLine, isLonger: pieces.length > MOST_ROWS };
};

// The rows put into their order, as text; none where they are in order, or one is missing, twice or not right.
export const inOrder = ({ rows, shape }) => {
  const homes = rows.map((row) => row.home);
  const isWhole = homes.every((_, index) => homes.includes(index)) && (!shape || shape.count === rows.length);
  if (!isWhole || rows.every((row) => row.state === "right")) return undefined;
  return homes.map((_, index) => lettersOf(rows.find((row) => row.home === index).values)).join("\n");
};

// Rows that are not there though later ones are, counted from 0; none unless every row says which one it is.
export const missingRows = ({ rows, shape }) => {
  const known = rows.filter((row, index) => row.state !== "unfinished" || index < rows.length - 1);
  const homes = known.map((row) => row.home);
  if (!homes.length || homes.includes(undefined)) return [];
  const end = Math.max(...homes);
  if (end >= (shape?.count ?? MOST_ROWS)) return [];
  return Array.from({ length: end }, (_, index) => index).filter((index) => !homes.includes(index));
};
