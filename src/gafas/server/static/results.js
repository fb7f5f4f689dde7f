/** The pictures of the page, their cards, the table and the downloads. */

import { announce, showProblem } from "./announcer.js";
import { Card } from "./card.js";
import { download } from "./download.js";
import { byId } from "./elements.js";
import { decimal, words } from "./language.js";
import { newPicture } from "./picture.js";
import { looksForFaces, thresholds } from "./settings.js";
import { updateTable } from "./table.js";
import { countOf, rowsOf, toCsv, toJson } from "./verdicts.js";

/** Pictures that the page holds; each keeps a preview in memory. */
const MOST = 200;

export class Results {
  #cards = new Map();
  #drawing = 0;
  #unsaid = 0;
  #pause = "";

  /**
   * @param {import("./queue.js").Queue} queue judges the pictures
   * @param {{onDraw: () => void}} callbacks
   */
  constructor(queue, { onDraw }) {
    Object.assign(this, { queue, onDraw });
    byId("save-csv").onclick = () => this.#save("csv", toCsv, "text/csv");
    byId("save-json").onclick = () => this.#save("json", toJson, "application/json");
    byId("clear").onclick = () => this.#clear();
  }

  /** The pictures, in their order. */
  get pictures() {
    return [...this.#cards.keys()];
  }

  /** Take in files, and have them judged. */
  add(named) {
    const room = MOST - this.#cards.size;
    showProblem(named.length > room ? words().tooMany(MOST) : "");
    const added = named.slice(0, room).map(({ name, blob }) => newPicture(name, blob));
    for (const picture of added) {
      const card = new Card(picture, { onRemove: () => this.#remove(picture), onAgain: () => this.#again(picture) });
      this.#cards.set(picture, card);
      byId("cards").append(card.root);
    }
    if (added.length) this.queue.add(added);
  }

  /** Some pictures changed: show it, and say it when the last one is done. */
  changed(pictures) {
    const present = pictures.filter((picture) => this.#cards.has(picture));
    this.#unsaid += present.filter(isDone).length;
    this.redraw();
  }

  /** Everything is judged: say so, once. */
  done() {
    if (this.#unsaid) announce(words().judged(this.#unsaid, this.#summary()));
    this.#unsaid = 0;
  }

  /** Ask for the evidence maps of pictures that came without. */
  explain() {
    const without = this.pictures.filter(({ status, explained }) => status === "ok" && !explained);
    if (without.length) this.queue.add(without);
  }

  /** The server asked to wait, or, with an empty text, the pause is over. */
  pausing(text) {
    this.#pause = text;
    if (text) announce(text);
    this.redraw();
  }

  /** Show everything anew: other thresholds, or another language. At most once for each frame of the screen. */
  redraw() {
    cancelAnimationFrame(this.#drawing);
    this.#drawing = requestAnimationFrame(() => this.#draw());
  }

  /** Say what another threshold means, when the slider has come to rest. */
  sayThreshold() {
    const { sunglasses, regions } = this.#counts();
    announce(words().relabelled(decimal(thresholds().sunglasses, 4), sunglasses, regions), 700);
  }

  #draw() {
    const { pictures } = this;
    const done = pictures.filter(isDone).length;
    byId("results").hidden = pictures.length === 0;
    for (const card of this.#cards.values()) card.update(thresholds());
    updateTable(pictures, thresholds(), { eyeglasses: this.#counts().eyeglasses !== null });
    byId("summary").textContent = done ? this.#summary() : "";
    byId("progress").hidden = done === pictures.length;
    byId("progress").textContent = this.#pause || words().progress(done, pictures.length);
    // A download holds a row for every picture, so it waits for the last one.
    for (const id of ["save-csv", "save-json"]) byId(id).disabled = done < pictures.length;
    this.onDraw();
  }

  #counts() {
    return countOf(this.pictures, thresholds(), looksForFaces() ? "face" : "whole");
  }

  #summary() {
    return words().summary(this.#counts(), looksForFaces());
  }

  #remove(picture) {
    const { root } = this.#cards.get(picture);
    const neighbour = root.nextElementSibling ?? root.previousElementSibling;
    this.#cards.delete(picture);
    this.queue.drop(picture);
    root.remove();
    // The button that had the focus is gone.
    (neighbour?.querySelector(".remove") ?? byId("main")).focus();
    this.redraw();
  }

  #again(picture) {
    this.#cards.get(picture).root.focus();
    this.queue.add([picture]);
  }

  #clear() {
    this.#cards.clear();
    this.queue.clear();
    this.#unsaid = 0;
    this.#pause = "";
    byId("cards").replaceChildren();
    byId("files").focus();
    announce(words().cleared);
    this.redraw();
  }

  #save(ending, write, type) {
    const name = `gafas.${ending}`;
    download(name, write(rowsOf(this.pictures, thresholds().sunglasses)), type);
    announce(words().saved(name));
  }
}

function isDone({ status }) {
  return status === "ok" || status === "error";
}
