/** One picture of the page: where it came from, what it looks like and what the server said of it. */

import { decodeNetpbm } from "./netpbm.js";

/** Pixels of the long side that is kept for showing: sharp on a phone and a desk, small in memory. */
const PREVIEW_SIDE = 1280;

let made = 0;

/**
 * @typedef {object} Picture
 * @property {number} id
 * @property {string} name
 * @property {Blob} blob
 * @property {"waiting" | "judging" | "ok" | "error"} status
 * @property {{code: string, message: string, values?: unknown[]} | null} error `values` fill the page's own words
 * @property {boolean} passing whether another try may help
 * @property {boolean} alone whether it has to go in a request of its own
 * @property {number | null} width
 * @property {number | null} height
 * @property {object[]} faces
 * @property {boolean} explained whether the faces came with evidence maps
 */

/** @returns {Picture} */
export function newPicture(name, blob) {
  made += 1;
  return {
    id: made, name, blob,
    status: "waiting", error: null, passing: false, alone: false, width: null, height: null, faces: [],
    explained: false,
  };
}

// Photographs of many megapixels are decoded one after another: each takes four bytes a pixel meanwhile.
let decoding = Promise.resolve();

/**
 * A small upright copy of a picture.
 *
 * @param {Blob} blob
 * @returns {Promise<{canvas: HTMLCanvasElement, width: number, height: number} | null>} the copy and the size of the
 *   upright original; null where the browser cannot read it
 */
export function previewOf(blob) {
  const preview = decoding.then(() => decode(blob)).catch(() => null);
  decoding = preview;
  return preview;
}

async function decode(blob) {
  // The server's boxes are in pixels of the picture as its EXIF data turn it.
  const known = decodeNetpbm(new Uint8Array(await blob.arrayBuffer())) ?? blob;
  const bitmap = await createImageBitmap(known, { imageOrientation: "from-image" });
  const { width, height } = bitmap;
  const canvas = shrunk(bitmap, width, height, PREVIEW_SIDE);
  bitmap.close();
  return { canvas, width, height };
}

/** A canvas with what `source` shows, its long side at most `side` pixels. */
export function shrunk(source, width, height, side) {
  const scale = Math.min(1, side / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}
