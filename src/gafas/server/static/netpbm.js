/** PGM and PPM, which no browser shows and face data sets are made of. Pure: bytes to pixels. */

/** Numbers in the header after the kind: width, height, greatest value. */
const HEADER = /^P([2356])((?:\s+|#[^\n]*\n)+)(\d+)((?:\s+|#[^\n]*\n)+)(\d+)((?:\s+|#[^\n]*\n)+)(\d+)\s/;

/**
 * Decode a picture of 8 bits a value.
 *
 * @param {Uint8Array} bytes
 * @returns {ImageData | null} null where it is none
 */
export function decodeNetpbm(bytes) {
  const header = HEADER.exec(latin(bytes.subarray(0, 1024)));
  if (header === null) return null;
  const [kind, width, height, most] = [header[1], header[3], header[5], header[7]].map(Number);
  const channels = kind === 3 || kind === 6 ? 3 : 1;
  const body = bytes.subarray(header[0].length);
  const values = kind <= 3 ? latin(body).trim().split(/\s+/).map(Number) : body;
  if (!most || most > 255 || values.length < width * height * channels) return null;
  const picture = new ImageData(width, height);
  for (let at = 0; at < width * height; at += 1) {
    for (let channel = 0; channel < 3; channel += 1) {
      // Their greatest value is often below 255: unscaled, the picture would be dark.
      picture.data[4 * at + channel] = (255 * values[at * channels + (channels === 3 ? channel : 0)]) / most;
    }
    picture.data[4 * at + 3] = 255;
  }
  return picture;
}

function latin(bytes) {
  return new TextDecoder("latin1").decode(bytes);
}
