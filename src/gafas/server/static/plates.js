/** Where the words stand beside the boxes: inside the picture, off other plates and, if it can be, off faces. Pure. */

/**
 * @typedef {object} Rect pixels of the screen, x1 and y1 exclusive
 * @property {number} x0
 * @property {number} y0
 * @property {number} x1
 * @property {number} y1
 */

const GAP = 3;

/** Pixels that a plate may have in any case: enough for a number. */
const SHORT = 32;

/** Boxes from which a plate may not be much wider than its box: there is no room between them. */
const CROWD = 4;

/**
 * Choose a wording and a place for each box, the best that is free.
 *
 * @param {Rect[]} boxes
 * @param {string[][]} wordings of each box, the longest first
 * @param {{width: number, height: number}} room
 * @param {(text: string) => number} widthOf a plate with this text
 * @param {number} tall a plate's height
 * @returns {({text: string, x: number, y: number} | null)[]} null where there is no room at all
 */
export function placePlates(boxes, wordings, room, widthOf, tall) {
  const taken = [];
  return boxes.map((box, index) => {
    const others = boxes.filter((_, other) => other !== index);
    let best = null;
    const widest = boxes.length < CROWD ? room.width : Math.max(SHORT, 2.5 * (box.x1 - box.x0));
    for (const place of placesOf(box, wordings[index], { ...room, widest }, widthOf, tall)) {
      const cost = 2 * hits(place.rect, taken) + hits(place.rect, others);
      if (best === null || cost < best.cost) best = { ...place, cost };
      if (cost === 0) break;
    }
    if (best === null) return null;
    taken.push(best.rect);
    return { text: best.text, x: best.rect.x0, y: best.rect.y0 };
  });
}

function* placesOf(box, texts, room, widthOf, tall) {
  const whole = box.x0 <= 0 && box.y0 <= 0 && box.x1 >= room.width && box.y1 >= room.height;
  for (const text of texts) {
    const wide = widthOf(text);
    if (wide > Math.min(room.width, room.widest)) continue;
    const x = Math.min(Math.max(0, box.x0 + (whole ? 2 * GAP : 0)), room.width - wide);
    const inside = box.y0 + 2 * GAP;
    for (const y of whole ? [inside] : [box.y0 - GAP - tall, box.y1 + GAP, inside]) {
      if (y >= 0 && y + tall <= room.height) yield { text, rect: { x0: x, y0: y, x1: x + wide, y1: y + tall } };
    }
  }
}

function hits(rect, others) {
  return others.filter((o) => o.x0 < rect.x1 && o.x1 > rect.x0 && o.y0 < rect.y1 && o.y1 > rect.y0).length;
}
