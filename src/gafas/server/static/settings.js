/** The threshold and the evidence map: what the reader chose, and the elements that show it. */

import { byId } from "./elements.js";
import { decimal, words } from "./language.js";

const root = document.documentElement;
let model = { threshold: 0.5, eyeglasses_threshold: 0.5, region: "face" };
let chosen = null;

/** The thresholds in use. */
export function thresholds() {
  return { sunglasses: chosen ?? model.threshold, eyeglasses: model.eyeglasses_threshold };
}

/** Whether the model judges faces; else every picture is judged as a whole, and none lacks a face. */
export function looksForFaces() {
  return model.region === "face";
}

/** Take over the model's own thresholds; a threshold that the reader chose stays. */
export function useModel(facts) {
  model = { ...model, ...facts };
  writeSettings();
}

/** Whether evidence maps are shown. */
export function wantsEvidence() {
  return byId("evidence").checked;
}

/** Listen for changes; `onThreshold` is called with each move of the slider, `onEvidence` when maps are wanted. */
export function listenForSettings({ onThreshold, onEvidence }) {
  const choose = (value) => {
    chosen = value;
    writeSettings();
    onThreshold();
  };
  byId("threshold").addEventListener("input", (event) => choose(Number(event.target.value)));
  byId("threshold-reset").addEventListener("click", () => {
    // The button is about to go; the slider is where the reader was.
    byId("threshold").focus();
    choose(null);
  });
  byId("evidence").addEventListener("change", () => {
    showEvidence();
    if (wantsEvidence()) onEvidence();
  });
  byId("opacity").addEventListener("input", showEvidence);
  showEvidence();
}

/** Write the settings in the present language. */
export function writeSettings() {
  const { sunglasses } = thresholds();
  const slider = byId("threshold");
  // The slider goes in hundredths; the model's own threshold may lie between two of them and stays as it is.
  slider.value = String(sunglasses);
  slider.setAttribute("aria-valuetext", decimal(sunglasses, 4));
  byId("threshold-value").textContent = decimal(sunglasses, 4);
  byId("threshold-hint").textContent = words().thresholdHint(decimal(model.threshold, 4));
  byId("threshold-reset").hidden = chosen === null;
  root.style.setProperty("--threshold", String(sunglasses));
  root.style.setProperty("--eyeglasses-threshold", String(model.eyeglasses_threshold ?? 1));
}

function showEvidence() {
  byId("opacity").disabled = !wantsEvidence();
  root.classList.toggle("evidence", wantsEvidence());
  root.style.setProperty("--evidence", byId("opacity").value);
}
