/** A picture with its result. */

import { create } from "./elements.js";
import { errorWords, percent, words } from "./language.js";
import { previewOf } from "./picture.js";
import { looksForFaces } from "./settings.js";
import { Stage } from "./stage.js";
import { eyewearOf } from "./verdicts.js";

/** Faces from which a card takes the whole width, its list beside the picture. */
const CROWD = 4;

export class Card {
  #shown = null;
  #readable = null;

  /**
   * @param {import("./picture.js").Picture} picture
   * @param {{onRemove: () => void, onAgain: () => void}} callbacks
   */
  constructor(picture, { onRemove, onAgain }) {
    this.picture = picture;
    this.stage = new Stage();
    this.remove = create("button", { type: "button", className: "remove", textContent: "×", onclick: onRemove });
    this.again = create("button", { type: "button", className: "button", onclick: onAgain });
    this.state = create("p", { className: "state" });
    this.faces = create("ol", { className: "faces" });
    this.name = create("h3", { id: `name-${picture.id}`, textContent: picture.name, title: picture.name });
    this.root = create("article", { className: "card", id: `picture-${picture.id}`, tabIndex: -1 }, [
      create("header", {}, [this.name, this.remove]),
      create("div", { className: "frame" }, [this.stage.root]),
      create("div", { className: "says" }, [this.state, this.again, this.faces]),
    ]);
    this.root.setAttribute("aria-labelledby", this.name.id);
    this.#preview();
  }

  /** Show the picture's present state at these thresholds. */
  update(thresholds) {
    const { picture } = this;
    this.root.dataset.status = picture.status;
    this.root.classList.toggle("crowd", picture.faces.length >= CROWD);
    this.remove.setAttribute("aria-label", words().remove(picture.name));
    this.remove.title = words().remove(picture.name);
    this.again.textContent = words().again;
    this.again.hidden = !(picture.status === "error" && picture.passing);
    this.state.textContent = this.#stateWords();
    this.state.hidden = this.state.textContent === "";
    // While its evidence map is on its way, what is known stays.
    if (picture.faces.length) this.#result(thresholds);
  }

  #result(thresholds) {
    const { picture } = this;
    this.stage.setSize(picture.width, picture.height);
    if (this.#shown === picture.faces) this.stage.relabel(thresholds);
    else this.stage.show(picture.faces, thresholds);
    this.#shown = picture.faces;
    this.faces.replaceChildren(...picture.faces.map((face, index) => this.#item(face, index, thresholds)));
  }

  #item(face, index, thresholds) {
    const { worn, probability } = eyewearOf(face, thresholds);
    const where = face.region === "whole" ? words().wholePicture : words().face(index + 1);
    const several = face.region === "whole" || this.picture.faces.length > 1;
    const item = create("li", {}, [
      create("p", { className: "verdict" }, [
        ...(several ? [create("span", { className: "where", textContent: where })] : []),
        create("strong", { className: "worn", textContent: words().worn[worn] }),
        create("span", { className: "figure", textContent: percent(probability) }),
      ]),
      ...["sunglasses", "eyeglasses"].filter((name) => face[name] !== null).map((name) => measure(name, face[name])),
    ]);
    item.dataset.worn = worn;
    item.onpointerenter = () => this.stage.point(index);
    item.onpointerleave = () => this.stage.point(-1);
    return item;
  }

  #stateWords() {
    const { status, error, faces } = this.picture;
    if (status === "waiting") return words().waiting;
    if (status === "judging") return words().judging;
    if (status === "error") return errorWords(error);
    const notes = [
      looksForFaces() && faces.some((face) => face.region === "whole") ? words().wholeNote : "",
      this.#readable === false ? words().previewNote : "",
    ];
    return notes.filter(Boolean).join(" ");
  }

  async #preview() {
    const preview = await previewOf(this.picture.blob);
    this.#readable = preview !== null;
    this.root.classList.toggle("blank", preview === null);
    if (preview !== null) {
      preview.canvas.setAttribute("aria-hidden", "true");
      this.stage.setSize(preview.width, preview.height);
      this.stage.setMedia(preview.canvas);
    }
    this.state.textContent = this.#stateWords();
    this.state.hidden = this.state.textContent === "";
  }
}

function measure(name, probability) {
  const fill = create("span", { className: "fill" });
  fill.style.width = `${100 * probability}%`;
  const row = create("p", { className: `measure ${name}` }, [
    create("span", { className: "attribute", textContent: words().attributes[name] }),
    create("span", { className: "track", ariaHidden: "true" }, [fill, create("span", { className: "tick" })]),
    create("span", { className: "figure", textContent: percent(probability) }),
  ]);
  return row;
}
