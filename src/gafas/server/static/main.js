/** The page of `gafas serve`: puts the pieces together. */

import { showProblem } from "./announcer.js";
import { ApiError, fetchModel } from "./api.js";
import { byId } from "./elements.js";
import { listen } from "./intake.js";
import { askKey, listenForKey, writeKeyHint } from "./keys.js";
import { chooseLanguage, errorWords, megabytes, startLanguage, words } from "./language.js";
import { Live } from "./live.js";
import { Queue } from "./queue.js";
import { Results } from "./results.js";
import { listenForSettings, useModel, wantsEvidence, writeSettings } from "./settings.js";

/** What any server takes: used where the server's own limits cannot be had. */
const SMALLEST_LIMITS = { files: 1, image_bytes: 2 ** 20, body_bytes: 2 ** 21 };

let facts = null;
let named = 0;

const pausing = {
  onPause: (seconds, status) => results.pausing(words().pause(seconds, status)),
  onResume: () => results.pausing(""),
};

const queue = new Queue({
  limits: readModel(),
  // A map takes the server many times as long as a verdict: it is asked for when somebody wants to see it.
  explain: () => explains() && wantsEvidence(),
  calls: { askKey, ...pausing },
  onChange: (pictures, answer) => {
    if (answer !== null) useModel(answer.model);
    results.changed(pictures);
  },
  onLost: (error) => showProblem(errorWords(error)),
  onDone: () => results.done(),
});
const results = new Results(queue, { onDraw: showControls });
const live = new Live({
  calls: { askKey },
  explain: () => explains() && wantsEvidence(),
  onAnswer: (answer) => useModel(answer.model),
  onSwitch: showControls,
  onKeep: (blob) => {
    const name = nextName(words().webcam, "jpg");
    results.add([{ name, blob }]);
    return name;
  },
});

startLanguage();
listenForKey();
listenForSettings({
  onThreshold: () => {
    redraw();
    results.sayThreshold();
  },
  onEvidence: () => results.explain(),
});
listen({
  onFiles: (files) => results.add(files.map((blob) => ({ name: blob.name, blob }))),
  onPaste: (files) => results.add(files.map((blob) => ({ name: nextName(words().pasted, endingOf(blob)), blob }))),
  onNothing: (word) => showProblem(words()[word]),
});
for (const button of document.querySelectorAll("[data-language]")) {
  button.onclick = () => {
    chooseLanguage(button.dataset.language);
    redraw();
  };
}
redraw();

/** Ask the server for its limits and its model's thresholds; resolves with the limits of a request. */
async function readModel() {
  try {
    facts = await fetchModel({ askKey });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showProblem(errorWords(error));
    return SMALLEST_LIMITS;
  }
  useModel(facts);
  redraw();
  return facts.limits;
}

/** Whether the server gives evidence maps. */
function explains() {
  return facts?.explains ?? false;
}

function redraw() {
  writeSettings();
  writeKeyHint();
  results.redraw();
  live.redraw();
  showControls();
  byId("model-facts").textContent =
    facts === null ? "" : words().facts(facts.name, facts.version, facts.limits.files, megabytes(facts.limits.image_bytes));
}

/** The settings belong to results: without any there is nothing to set, and the room is for the invitation. */
function showControls() {
  const atWork = results.pictures.length > 0 || live.running;
  byId("controls").hidden = !atWork;
  byId("evidence-control").hidden = !explains();
  document.body.classList.toggle("at-work", atWork);
}

function nextName(stem, ending) {
  named += 1;
  return `${stem}-${named}.${ending}`;
}

function endingOf(blob) {
  return blob.type.replace("image/", "").replace("jpeg", "jpg") || "png";
}
