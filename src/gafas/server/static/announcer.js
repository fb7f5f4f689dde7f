/** What a screen reader says, and problems that everybody sees. */

import { byId } from "./elements.js";

let pending = 0;

/** Say this once, politely; what comes within the same moment replaces it. */
export function announce(text, delay = 100) {
  clearTimeout(pending);
  pending = setTimeout(() => {
    byId("announcer").textContent = text;
  }, delay);
}

/** Show a problem, and say it at once; an empty text takes it away. */
export function showProblem(text) {
  byId("problem").textContent = text;
}
