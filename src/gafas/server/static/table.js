/** The result table: a row for each region, and one for each picture that failed. */

import { byId, create } from "./elements.js";
import { decimal, errorWords, percent, words } from "./language.js";
import { eyewearOf } from "./verdicts.js";

const rows = new Map();

/** Bring the table up to date. Rows that stay keep their elements, so that the keyboard's place is not lost. */
export function updateTable(pictures, thresholds, { eyeglasses }) {
  const columns = ["picture", "region", "label", "sunglasses", ...(eyeglasses ? ["eyeglasses"] : []), "confidence", "box"];
  byId("table-head").replaceChildren(
    ...columns.map((name) => create("th", { scope: "col", className: name, textContent: words().columns[name] })),
  );
  const present = new Set();
  const elements = pictures.flatMap((picture) =>
    contentsOf(picture, thresholds).map((contents, index) => {
      const id = `${picture.id}:${index}`;
      present.add(id);
      return fillRow(id, picture, contents, columns);
    }),
  );
  for (const id of rows.keys()) if (!present.has(id)) rows.delete(id);
  const body = byId("table-body");
  for (const row of [...body.children]) if (!elements.includes(row)) row.remove();
  elements.forEach((row, at) => {
    if (body.children[at] !== row) body.insertBefore(row, body.children[at] ?? null);
  });
}

function contentsOf(picture, thresholds) {
  if (picture.status === "error") return [{ error: errorWords(picture.error) }];
  return picture.faces.map((face, index) => {
    const { worn } = eyewearOf(face, thresholds);
    return {
      worn,
      region: face.region === "whole" ? words().wholePicture : words().face(index + 1),
      label: words().worn[worn],
      sunglasses: percent(face.sunglasses),
      eyeglasses: face.eyeglasses === null ? "" : percent(face.eyeglasses),
      confidence: face.face_confidence === null ? "–" : decimal(face.face_confidence),
      box: face.box.join(", "),
    };
  });
}

function fillRow(id, picture, contents, columns) {
  if (!rows.has(id)) rows.set(id, newRow(picture));
  const row = rows.get(id);
  row.dataset.worn = contents.worn ?? "error";
  const cells =
    contents.error === undefined
      ? columns.slice(1).map((name) => create("td", { className: name, textContent: contents[name] }))
      : [create("td", { className: "error", colSpan: columns.length - 1, textContent: contents.error })];
  row.replaceChildren(row.firstChild, ...cells);
  return row;
}

function newRow(picture) {
  const link = create("a", { href: `#picture-${picture.id}`, textContent: picture.name });
  return create("tr", {}, [create("th", { scope: "row" }, [link])]);
}
