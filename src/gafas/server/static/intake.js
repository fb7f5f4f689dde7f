/** Pictures that are chosen, dropped or pasted. */

import { byId } from "./elements.js";

/**
 * Listen for pictures on the whole page.
 *
 * @param {object} callbacks
 * @param {(files: File[]) => void} callbacks.onFiles chosen or dropped
 * @param {(files: File[]) => void} callbacks.onPaste pasted; the browser gives them all the same name
 * @param {(word: string) => void} callbacks.onNothing what came holds no picture; names the words for it
 */
export function listen({ onFiles, onPaste, onNothing }) {
  const input = byId("files");
  input.addEventListener("change", () => {
    onFiles([...input.files]);
    // So that the same file can be chosen again.
    input.value = "";
  });
  document.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (files.length) onPaste(files);
    else if (!event.target.matches?.("input")) onNothing("nothingPasted");
  });
  listenForDrops({ onFiles, onNothing });
}

function listenForDrops({ onFiles, onNothing }) {
  const show = (over) => document.body.classList.toggle("dropping", over);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    show(event.dataTransfer.types.includes("Files"));
  });
  document.addEventListener("dragleave", (event) => {
    // Leaving the window, not one element for another.
    if (event.relatedTarget === null) show(false);
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    show(false);
    const files = filesOf(event.dataTransfer);
    if (files.length) onFiles(files);
    else onNothing("nothingDropped");
  });
}

/** The files of a drop, without folders, which look like empty files. */
function filesOf({ items, files }) {
  const folders = new Set(
    [...items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry?.isDirectory).map(({ name }) => name),
  );
  return [...files].filter((file) => !folders.has(file.name));
}
