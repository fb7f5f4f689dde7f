/** The webcam: one frame after another to the server, the answer over the moving picture. */

import { ApiError, predict } from "./api.js";
import { shrunk } from "./picture.js";

/** Pixels of a frame's long side: as much as the search for faces looks at. */
const FRAME_SIDE = 640;

/** Milliseconds from frame to frame at least: the server has others to serve, and the battery is to last. */
const SHORTEST_TURN = 200;

const JPEG_QUALITY = 0.85;

/** Why a camera cannot be had, by the name of the browser's error. */
const REFUSALS = {
  NotAllowedError: "cameraRefused",
  SecurityError: "cameraRefused",
  NotFoundError: "cameraMissing",
  OverconstrainedError: "cameraMissing",
};

/** A camera that cannot be used; `word` names the words for it. */
export class CameraError extends Error {
  constructor(word) {
    super(word);
    this.name = "CameraError";
    this.word = word;
  }
}

export class Camera {
  #stream = null;
  #stop = new AbortController();

  /**
   * @param {object} options
   * @param {import("./api.js").Calls} options.calls
   * @param {() => boolean} options.explain whether evidence maps are wanted just now
   * @param {(result: object, answer: object) => void} options.onResult of one frame
   * @param {(word: string | null, error: object | null) => void} options.onEnd it is off; why, if nobody asked for it
   */
  constructor({ calls, explain, onResult, onEnd }) {
    Object.assign(this, { calls, explain, onResult, onEnd });
    this.video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
    this.facing = "user";
    document.addEventListener("visibilitychange", () => document.hidden && this.stop("cameraHidden"));
    window.addEventListener("pagehide", () => this.stop("cameraHidden"));
  }

  /** Whether frames are being taken. */
  get running() {
    return this.#stream !== null;
  }

  /**
   * Ask for the camera and begin.
   *
   * @throws {CameraError} it cannot be had
   */
  async start() {
    const stream = await openCamera(this.facing);
    if (document.hidden) {
      end(stream);
      throw new CameraError("cameraHidden");
    }
    this.#end();
    this.#stream = stream;
    this.#stop = new AbortController();
    stream.getVideoTracks()[0].addEventListener("ended", () => this.#stream === stream && this.stop("cameraLost"));
    this.video.srcObject = stream;
    await this.video.play();
    this.#watch(this.#stop.signal);
  }

  /** Switch it off; `word` names the words for why. */
  stop(word = null, error = null) {
    if (!this.running) return;
    this.#end();
    this.onEnd(word, error);
  }

  /** Go on with the camera on the other side of the telephone. */
  turn() {
    this.facing = this.facing === "user" ? "environment" : "user";
    // Many telephones open one camera at a time only.
    this.#end();
    return this.start();
  }

  /** The present picture at full size, as a JPEG. */
  picture() {
    return jpegOf(shrunk(this.video, this.video.videoWidth, this.video.videoHeight, Infinity));
  }

  #end() {
    if (this.#stream !== null) end(this.#stream);
    this.#stream = null;
    this.video.srcObject = null;
    this.#stop.abort();
  }

  async #watch(signal) {
    try {
      while (!signal.aborted) {
        const turn = pause(SHORTEST_TURN);
        await this.#look(signal);
        await turn;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.stop(null, error);
    }
  }

  async #look(signal) {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) return;
    const blob = await jpegOf(shrunk(this.video, width, height, FRAME_SIDE));
    const answer = await predict([{ name: "frame.jpg", blob }], { ...this.calls, explain: this.explain(), signal });
    if (!signal.aborted) this.onResult(answer.results[0], answer);
  }
}

/** Whether the device has more than one camera. */
export async function hasSeveralCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === "videoinput").length > 1;
}

async function openCamera(facingMode) {
  if (!navigator.mediaDevices?.getUserMedia) throw new CameraError("cameraInsecure");
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { facingMode, width: { ideal: 1280 } }, audio: false });
  } catch (error) {
    throw new CameraError(REFUSALS[error.name] ?? "cameraBusy");
  }
}

function end(stream) {
  for (const track of stream.getTracks()) track.stop();
}

function jpegOf(canvas) {
  return new Promise((resolve) => {
    canvas.toBlob(resolve, "image/jpeg", JPEG_QUALITY);
  });
}

function pause(milliseconds) {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
