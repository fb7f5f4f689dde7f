/** The page's words: by the browser's language, or as the reader chose. */

import { words as en } from "./words-en.js";
import { words as es } from "./words-es.js";

const DICTIONARIES = { en, es };
const REMEMBERED = "gafas-language";

let current = "en";

/** The language in use: "en" or "es". */
export function language() {
  return current;
}

/** The words of the language in use; those with a number in them are functions. */
export function words() {
  return DICTIONARIES[current];
}

/** Choose the language that was chosen last, else the browser's first one that the page speaks, else English. */
export function startLanguage() {
  const wanted = [remembered(), ...navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())];
  applyLanguage(wanted.find((tag) => tag in DICTIONARIES) ?? "en");
}

/** Change the language and remember it. */
export function chooseLanguage(tag) {
  try {
    localStorage.setItem(REMEMBERED, tag);
  } catch {
    // Storage may be forbidden: then the choice lasts as long as the page.
  }
  applyLanguage(tag);
}

/** P as whole per cent, as the language writes it; what is not quite 0 or 1 is not rounded to it. */
export function percent(probability) {
  const write = (value) => new Intl.NumberFormat(current, { style: "percent" }).format(value);
  if (probability > 0 && probability < 0.005) return `<${write(0.01)}`;
  if (probability < 1 && probability >= 0.995) return `>${write(0.99)}`;
  return write(probability);
}

/** A number as the language writes it. */
export function decimal(value, digits = 2) {
  return new Intl.NumberFormat(current, { minimumFractionDigits: 2, maximumFractionDigits: digits }).format(value);
}

/** Bytes as megabytes of 2^20 bytes, as the server counts them. */
export function megabytes(bytes) {
  return new Intl.NumberFormat(current, { maximumFractionDigits: 1 }).format(bytes / 2 ** 20);
}

/** What an error means; the server's own words where the page has none for its code. */
export function errorWords({ code, message, values = [] }) {
  const known = words().errors[code];
  if (typeof known === "function") return known(...values.map(megabytes));
  return known ?? words().otherError(message);
}

function remembered() {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
}

function applyLanguage(tag) {
  current = tag;
  document.documentElement.lang = tag;
  document.title = words().pageTitle;
  for (const element of document.querySelectorAll("[data-word]")) {
    element.textContent = words()[element.dataset.word];
  }
  for (const element of document.querySelectorAll("[data-word-label]")) {
    element.setAttribute("aria-label", words()[element.dataset.wordLabel]);
  }
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === tag));
  }
}
