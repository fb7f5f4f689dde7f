/** A picture, or the webcam, with boxes, words and evidence maps over it. */

import { create } from "./elements.js";
import { paintEvidence } from "./evidence.js";
import { percent, words } from "./language.js";
import { placePlates } from "./plates.js";
import { eyewearOf } from "./verdicts.js";

const PLATE_HEIGHT = 22;
const PLATE_FONT = "600 13px system-ui, sans-serif";
const PLATE_PADDING = 14;

const ruler = document.createElement("canvas").getContext("2d");

/** What is shown over a picture. All places are shares of its width and height, so that any size on screen fits. */
export class Stage {
  #faces = [];
  #boxes = [];
  #maps = [];
  #thresholds = null;
  #size = { width: 1, height: 1 };

  /** @param {{mirrored?: boolean}} options mirrored: as in a looking-glass, for the webcam */
  constructor({ mirrored = false } = {}) {
    this.mirrored = mirrored;
    this.maps = create("div", { className: "maps", ariaHidden: "true" });
    this.overlay = create("div", { className: "overlay", ariaHidden: "true" });
    this.root = create("div", { className: "stage" }, [this.maps, this.overlay]);
    new ResizeObserver(() => this.#place()).observe(this.root);
  }

  /** Show this canvas or video below everything else. */
  setMedia(element) {
    element.classList.add("media");
    this.root.querySelector(".media")?.remove();
    this.root.prepend(element);
  }

  /** Pixels of the upright picture. */
  setSize(width, height) {
    this.#size = { width, height };
    this.root.style.setProperty("--ratio", String(width / height));
    this.root.style.setProperty("--width", `${width}px`);
  }

  /** Show what the server found; maps that cannot be painted are left out. */
  async show(faces, thresholds) {
    this.#faces = faces;
    this.#boxes = faces.map(() => create("div", { className: "box" }, [create("span", { className: "plate" })]));
    this.overlay.replaceChildren(...this.#boxes);
    this.relabel(thresholds);
    const explained = faces.filter((face) => face.explanation !== null);
    const maps = await Promise.all(explained.map(({ explanation }) => paintEvidence(explanation)));
    // The webcam may have shown the next frame meanwhile.
    if (this.#faces !== faces) return;
    maps.forEach((map, index) => this.#lay(map, explained[index].explanation.box));
    this.maps.replaceChildren(...maps);
  }

  /** Write the words anew: at other thresholds, or in another language. */
  relabel(thresholds) {
    this.#thresholds = thresholds;
    this.#place();
  }

  /** Let one box stand out, or none with -1. */
  point(index) {
    this.#boxes.forEach((box, at) => box.classList.toggle("pointed", at === index));
  }

  #place() {
    const { clientWidth: width, clientHeight: height } = this.root;
    if (!this.#faces.length || !width || !height || !this.#thresholds) return;
    const worn = this.#faces.map((face) => eyewearOf(face, this.#thresholds));
    const boxes = this.#faces.map((face) => this.#onScreen(face.box, width, height));
    ruler.font = PLATE_FONT;
    const plates = placePlates(
      boxes,
      worn.map((verdict, index) => this.#wordings(verdict, index)),
      { width, height },
      (text) => Math.ceil(ruler.measureText(text).width) + PLATE_PADDING,
      PLATE_HEIGHT,
    );
    this.#boxes.forEach((box, index) => {
      this.#lay(box, this.#faces[index].box);
      box.dataset.worn = worn[index].worn;
      const plate = box.firstChild;
      plate.hidden = plates[index] === null;
      if (plates[index] === null) return;
      plate.textContent = plates[index].text;
      plate.style.left = `${plates[index].x - boxes[index].x0}px`;
      plate.style.top = `${plates[index].y - boxes[index].y0}px`;
    });
  }

  #wordings({ worn, probability }, index) {
    const number = this.#faces.length > 1 ? `${index + 1}  ` : "";
    const texts = [`${number}${words().worn[worn]} ${percent(probability)}`, `${number}${percent(probability)}`];
    return number ? [...texts, String(index + 1)] : texts;
  }

  #onScreen([x0, y0, x1, y1], width, height) {
    const across = width / this.#size.width;
    const down = height / this.#size.height;
    const [left, right] = this.mirrored ? [this.#size.width - x1, this.#size.width - x0] : [x0, x1];
    return { x0: left * across, y0: y0 * down, x1: right * across, y1: y1 * down };
  }

  #lay(element, box) {
    const { x0, y0, x1, y1 } = this.#onScreen(box, 100, 100);
    element.style.left = `${x0}%`;
    element.style.top = `${y0}%`;
    element.style.width = `${x1 - x0}%`;
    element.style.height = `${y1 - y0}%`;
  }
}
