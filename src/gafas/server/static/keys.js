/** Asks for the key of a server that needs one. */

import { useKey } from "./api.js";
import { byId } from "./elements.js";
import { words } from "./language.js";

let asked = null;
let goOn = null;
let wasRefused = false;

/**
 * Show the field, and wait until a key was given. Requests that wait at the same time share it.
 *
 * @param {boolean} refused whether a key was sent and not accepted
 */
export function askKey(refused) {
  wasRefused = refused;
  if (asked === null) {
    asked = new Promise((resolve) => {
      goOn = resolve;
    });
    byId("key-form").hidden = false;
    byId("key").focus();
  }
  writeKeyHint();
  return asked;
}

/** The hint below the field, in the present language. */
export function writeKeyHint() {
  byId("key-hint").textContent = wasRefused ? words().keyWrong : words().keyHint;
  byId("key").setAttribute("aria-invalid", String(wasRefused));
}

/** Make the field work. */
export function listenForKey() {
  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    useKey(byId("key").value);
    byId("key").value = "";
    byId("key-form").hidden = true;
    // The form had the focus and is gone.
    byId("main").focus();
    asked = null;
    goOn();
  });
}
