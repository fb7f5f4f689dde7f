/** The evidence map: the server's grey picture in two colours, transparent where it says nothing. */

// Told apart with any kind of colour vision, after Okabe and Ito: for, against.
const FOR = [255, 140, 0];
const AGAINST = [30, 110, 255];

/**
 * Paint an explanation on a canvas of its own size.
 *
 * @param {{png: string}} explanation base64 of a grey PNG: 255 speaks for, 0 against, 128 is neither
 * @returns {Promise<HTMLCanvasElement>}
 */
export async function paintEvidence({ png }) {
  const bytes = Uint8Array.from(atob(png), (character) => character.charCodeAt(0));
  // Without conversion the greys stay the numbers that the server wrote.
  const map = await createImageBitmap(new Blob([bytes], { type: "image/png" }), { colorSpaceConversion: "none" });
  const canvas = document.createElement("canvas");
  canvas.width = map.width;
  canvas.height = map.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(map, 0, 0);
  map.close();
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  colour(pixels.data);
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function colour(data) {
  for (let at = 0; at < data.length; at += 4) {
    const grey = data[at];
    const [red, green, blue] = grey >= 128 ? FOR : AGAINST;
    data[at] = red;
    data[at + 1] = green;
    data[at + 2] = blue;
    data[at + 3] = Math.round(255 * (grey >= 128 ? (grey - 128) / 127 : (128 - grey) / 128));
  }
}
