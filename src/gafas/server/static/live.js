/** The section of the webcam. */

import { announce, showProblem } from "./announcer.js";
import { Camera, CameraError, hasSeveralCameras } from "./camera.js";
import { byId } from "./elements.js";
import { errorWords, percent, words } from "./language.js";
import { looksForFaces, thresholds } from "./settings.js";
import { Stage } from "./stage.js";
import { eyewearOf } from "./verdicts.js";

/** Milliseconds for which a result has to last before a screen reader says it: it would never stop talking. */
const CALM = 1500;

export class Live {
  #faces = [];
  #said = "";
  #word = () => "";

  /**
   * @param {object} options
   * @param {import("./api.js").Calls} options.calls
   * @param {() => boolean} options.explain whether evidence maps are wanted just now
   * @param {(answer: object) => void} options.onAnswer
   * @param {() => void} options.onSwitch it was switched on or off
   * @param {(blob: Blob) => string} options.onKeep a picture to keep; returns its name
   */
  constructor({ calls, explain, onAnswer, onSwitch, onKeep }) {
    this.stage = new Stage({ mirrored: true });
    this.camera = new Camera({
      calls: { ...calls, onPause: (...pause) => this.#say(() => words().pause(...pause)) },
      explain,
      onResult: (result, answer) => this.#show(result, answer),
      onEnd: (word, error) => this.#end(word, error),
    });
    Object.assign(this, { onAnswer, onSwitch, onKeep });
    byId("camera-stage").append(this.stage.root);
    this.camera.video.setAttribute("aria-hidden", "true");
    this.stage.setMedia(this.camera.video);
    byId("camera-start").onclick = () => this.#start(() => this.camera.start());
    byId("camera-turn").onclick = () => this.#start(() => this.camera.turn());
    byId("camera-stop").onclick = () => this.camera.stop();
    byId("camera-keep").onclick = () => this.#keep();
  }

  /** Whether the webcam is on. */
  get running() {
    return this.camera.running;
  }

  /** Show everything anew: other thresholds, or another language. */
  redraw() {
    this.stage.relabel(thresholds());
    byId("camera-state").textContent = this.#word();
  }

  async #start(begin) {
    showProblem("");
    announce(words().cameraAsking);
    byId("camera-start").disabled = true;
    try {
      await begin();
    } catch (error) {
      if (!(error instanceof CameraError)) throw error;
      this.#end(error.word, null);
      return;
    } finally {
      byId("camera-start").disabled = false;
    }
    const { video, facing } = this.camera;
    this.stage.mirrored = facing === "user";
    this.stage.root.classList.toggle("mirrored", this.stage.mirrored);
    this.stage.setSize(video.videoWidth, video.videoHeight);
    this.#say(() => words().cameraLooking);
    byId("camera-start").hidden = true;
    byId("camera").hidden = false;
    byId("camera-turn").hidden = !(await hasSeveralCameras());
    this.onSwitch();
    byId("camera-stop").focus({ preventScroll: true });
    byId("camera").scrollIntoView({ block: "nearest" });
  }

  #show(result, answer) {
    this.onAnswer(answer);
    if (result.status === "error") {
      this.#say(() => errorWords(result.error));
      return;
    }
    this.#faces = looksForFaces() ? result.faces.filter(({ region }) => region === "face") : result.faces;
    this.stage.setSize(result.width, result.height);
    this.stage.show(this.#faces, thresholds());
    this.#say(() => this.#sentence());
  }

  #sentence() {
    if (!this.#faces.length) return words().cameraNobody;
    return this.#faces
      .map((face) => eyewearOf(face, thresholds()))
      .map(({ worn, probability }) => `${words().worn[worn]} ${percent(probability)}`)
      .join(" · ");
  }

  /** Write the state; say it only where other words than before have stayed for a while. */
  #say(word) {
    this.#word = word;
    byId("camera-state").textContent = word();
    const gist = word().replaceAll(/\d+/g, "");
    if (gist !== this.#said) announce(word(), CALM);
    this.#said = gist;
  }

  async #keep() {
    const name = this.onKeep(await this.camera.picture());
    announce(words().cameraKept(name));
  }

  #end(word, error) {
    const hadFocus = byId("camera").contains(document.activeElement);
    this.stage.show([], thresholds());
    byId("camera").hidden = true;
    byId("camera-start").hidden = false;
    this.onSwitch();
    if (hadFocus) byId("camera-start").focus();
    if (error !== null) showProblem(errorWords(error));
    else if (word !== null) showProblem(words()[word]);
    else announce(words().cameraStopped);
  }
}
