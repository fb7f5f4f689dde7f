/** English. */

const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

export const words = {
  pageTitle: "gafas: who wears sunglasses?",
  skip: "Skip to the content",
  language: "Language",
  title: "Who wears sunglasses?",
  lead: "Give it photographs. Each face gets a box, a word and the probability that the word is right.",
  choose: "Choose photographs",
  cameraStart: "Use the webcam",
  dropHint: "Or drop pictures anywhere on this page, or paste them.",
  privacy: "Pictures go to the server that sent you this page, are judged in its memory and are not kept.",
  dropNow: "Let go to add the pictures",

  keyLabel: "This server asks for a key",
  keySend: "Use this key",
  keyHint: "It is kept in the memory of this page only and forgotten when you leave.",
  keyWrong: "The server did not accept this key. Check it and try again.",

  cameraTitle: "Webcam",
  cameraKeep: "Keep this picture",
  cameraTurn: "Other camera",
  cameraStop: "Stop",
  cameraAsking: "Your browser asks whether this page may use the camera.",
  cameraLooking: "Looking …",
  cameraNobody: "No face in the picture.",
  cameraKept: (name) => `${name} is among the results.`,
  cameraStopped: "The webcam is off.",
  cameraHidden: "The webcam was switched off because the page was hidden.",
  cameraRefused: "The camera may not be used: it was refused. Allow it in the browser's settings for this page, then try again.",
  cameraMissing: "No camera was found. Connect one, or choose photographs.",
  cameraBusy: "The camera cannot be opened. Another program may be using it.",
  cameraInsecure: "Browsers allow the camera on https and on localhost only. Open the page there, or choose photographs.",
  cameraLost: "The camera stopped sending pictures.",

  controls: "Settings",
  threshold: "Threshold for sunglasses",
  thresholdHint: (value) => `Sunglasses from this probability on. The model's own is ${value}.`,
  thresholdReset: "Back to it",
  evidence: "Evidence map",
  opacity: "Strength of the evidence map",
  evidenceAgainst: "against",
  evidenceFor: "for sunglasses",
  evidenceHint: "Which parts of the face spoke for sunglasses, and which against.",

  results: "Results",
  table: "Table",
  saveCsv: "Download CSV",
  saveJson: "Download JSON",
  clear: "Remove all",
  remove: (name) => `Remove ${name}`,
  again: "Try again",
  waiting: "Waiting …",
  judging: "Being judged …",
  progress: (done, all) => `${done} of ${count(all, "picture", "pictures")} judged`,
  pause: (seconds, status) =>
    status === 429
      ? `The server's limit of requests is reached. Going on in ${count(seconds, "second", "seconds")}.`
      : `The server is busy. Trying again in ${count(seconds, "second", "seconds")}.`,

  worn: { sunglasses: "Sunglasses", eyeglasses: "Clear glasses", none: "No sunglasses" },
  attributes: { sunglasses: "Sunglasses", eyeglasses: "Clear glasses" },
  face: (n) => `Face ${n}`,
  wholePicture: "Whole picture",
  wholeNote: "No face was found. The whole picture was judged instead, which says less.",
  previewNote: "Your browser cannot show this kind of picture; the server can read it.",
  summary: ({ regions, sunglasses, eyeglasses, whole, failed }, looksForFaces) =>
    [
      looksForFaces ? count(regions, "face", "faces") : count(regions, "picture", "pictures"),
      `${sunglasses} with sunglasses`,
      eyeglasses === null ? "" : `${eyeglasses} with clear glasses`,
      whole ? `${count(whole, "picture", "pictures")} without a face` : "",
      failed ? `${failed} not judged` : "",
    ]
      .filter(Boolean)
      .join(" · "),
  judged: (n, summary) => `${count(n, "picture", "pictures")} judged. ${summary}.`,
  relabelled: (threshold, sunglasses, all) => `Threshold ${threshold}: ${sunglasses} of ${all} with sunglasses.`,
  cleared: "All pictures were removed.",
  saved: (name) => `${name} was downloaded.`,
  columns: {
    picture: "Picture",
    region: "Region",
    label: "Worn",
    sunglasses: "Sunglasses",
    eyeglasses: "Clear glasses",
    confidence: "Face confidence",
    box: "Box (x0, y0, x1, y1)",
  },

  facts: (name, version, files, size) =>
    `Model ${name}, gafas ${version}. Pictures of up to ${size} MB; at most ${files} in one request, more go in turns.`,
  caution: "Made for learning and for comparing. Do not use it to decide anything about a person.",

  pasted: "pasted",
  webcam: "webcam",
  nothingPasted: "The clipboard holds no picture.",
  nothingDropped: "No picture was among what you dropped. A folder's pictures have to be chosen one by one.",
  tooMany: (most) => `The page holds ${most} pictures at most; the others were left out. For more use gafas predict.`,

  otherError: (message) => `The server says: ${message}`,
  errors: {
    unreachable: "The server cannot be reached. Check that gafas serve is running and try again.",
    unexpected: "The server answered something that this page does not understand.",
    overloaded: "The server is too busy. Try again in a while.",
    rate_limited: "The server's limit of requests is reached. Try again in a while.",
    not_an_image: "This is not a picture, or of a kind that the server does not know.",
    broken_image: "The picture is damaged and cannot be read.",
    too_large: "The file is too large for the server. Make it smaller and try again.",
    too_many_pixels: "The picture has too many pixels for the server. Make it smaller and try again.",
    file_too_large: (size, most) =>
      `The file is too large: ${size} MB, and the server takes ${most} MB. Make it smaller and try again.`,
    file_unreadable: "The file cannot be read. It may be a folder, or it may have been moved.",
    file_empty: "The file is empty.",
  },
};
