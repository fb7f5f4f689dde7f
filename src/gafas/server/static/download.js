/** Files for the reader to keep. */

import { create } from "./elements.js";

/** Hand over a text as a file. */
export function download(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  create("a", { href: address, download: name }).click();
  // The browser reads the address after this turn.
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
