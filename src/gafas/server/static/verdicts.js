/** What the answers mean at the thresholds, and the rows of the downloads. Pure: no page, no network. */

/** Columns of the downloads, those of `gafas predict`. */
export const COLUMNS = [
  "path", "status", "error", "region", "x0", "y0", "x1", "y1", "face_confidence", "sunglasses", "eyeglasses", "label",
];

/** The label at the threshold, as `gafas.runtime.predictor` gives it. */
export function labelOf(face, threshold) {
  return face.sunglasses >= threshold ? "sunglasses" : "no_sunglasses";
}

/**
 * What is worn, and the probability that this word is right: the rule of `gafas.runtime.eyewear`.
 *
 * @param {{sunglasses: number, eyeglasses: number | null}} face
 * @param {{sunglasses: number, eyeglasses: number}} thresholds
 */
export function eyewearOf(face, thresholds) {
  if (face.sunglasses >= thresholds.sunglasses) return { worn: "sunglasses", probability: face.sunglasses };
  if (face.eyeglasses !== null && face.eyeglasses >= thresholds.eyeglasses) {
    return { worn: "eyeglasses", probability: face.eyeglasses };
  }
  return { worn: "none", probability: 1 - face.sunglasses };
}

/**
 * One row for each region, and one for each picture that failed; pictures without an answer yet have none.
 *
 * @param {Iterable<{name: string, status: string, error: object | null, faces: object[]}>} pictures
 * @param {number} threshold
 */
export function rowsOf(pictures, threshold) {
  return [...pictures].flatMap((picture) => {
    if (picture.status === "error") {
      return [{ ...emptyRow(picture.name), status: "error", error: picture.error.message }];
    }
    return picture.faces.map((face) => {
      const [x0, y0, x1, y1] = face.box;
      return {
        ...emptyRow(picture.name),
        status: "ok",
        region: face.region,
        x0, y0, x1, y1,
        face_confidence: rounded(face.face_confidence, 4),
        sunglasses: rounded(face.sunglasses, 6),
        eyeglasses: rounded(face.eyeglasses, 6),
        label: labelOf(face, threshold),
      };
    });
  });
}

/** Rows as CSV, quoted where needed (RFC 4180, lines end as those of `gafas predict`). */
export function toCsv(rows) {
  const lines = rows.map((row) => COLUMNS.map((column) => quoted(row[column])).join(","));
  return [COLUMNS.join(","), ...lines, ""].join("\n");
}

/** Rows as a JSON array. */
export function toJson(rows) {
  return `${JSON.stringify(rows, null, 1)}\n`;
}

/** How many regions of this kind there are, what they wear, and what was judged as a whole instead, or not at all. */
export function countOf(pictures, thresholds, kind) {
  const counts = { regions: 0, sunglasses: 0, eyeglasses: null, whole: 0, failed: 0 };
  for (const picture of pictures) {
    if (picture.status === "error") counts.failed += 1;
    for (const face of picture.faces) {
      if (face.eyeglasses !== null) counts.eyeglasses ??= 0;
      if (face.region !== kind) {
        counts.whole += 1;
        continue;
      }
      counts.regions += 1;
      const { worn } = eyewearOf(face, thresholds);
      if (worn !== "none") counts[worn] += 1;
    }
  }
  return counts;
}

function emptyRow(path) {
  return { ...Object.fromEntries(COLUMNS.map((column) => [column, null])), path };
}

function rounded(value, digits) {
  return value === null ? null : Number(value.toFixed(digits));
}

function quoted(value) {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
