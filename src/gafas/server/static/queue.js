/** Sends pictures within the server's limits, one request at a time. Knows nothing of how they are shown. */

import { predict } from "./api.js";

/** Pictures in one request at most, so that the first results come soon. */
const SOON = 4;

/** Bytes that the form adds for each picture: names, headers and boundaries. */
const FORM_BYTES = 1024;

/** Failures that may be gone at the next try. */
const PASSING = new Set(["unreachable", "unexpected", "overloaded", "rate_limited", "body_timeout"]);

export class Queue {
  #waiting = [];
  #running = false;
  #stop = new AbortController();

  /**
   * @param {object} options
   * @param {Promise<{files: number, image_bytes: number, body_bytes: number}>} options.limits of one request
   * @param {() => boolean} options.explain whether evidence maps are wanted just now
   * @param {import("./api.js").Calls} options.calls
   * @param {(pictures: object[], answer: object | null) => void} options.onChange these pictures changed
   * @param {(error: object) => void} options.onLost pictures that had a result got no better one
   * @param {() => void} options.onDone nothing is left
   */
  constructor({ limits, explain, calls, onChange, onLost, onDone }) {
    Object.assign(this, { limits, explain, calls, onChange, onLost, onDone });
  }

  /** Judge these pictures after those that wait already. */
  add(pictures) {
    for (const picture of pictures) Object.assign(picture, { status: "waiting", error: null, passing: false });
    this.#waiting.push(...pictures);
    this.onChange(pictures, null);
    if (!this.#running) this.#run();
  }

  /** Leave this picture out; an answer on its way changes nothing any more. */
  drop(picture) {
    this.#waiting = this.#waiting.filter((other) => other !== picture);
  }

  /** Leave out everything, and end the request on its way. */
  clear() {
    this.#waiting = [];
    this.#stop.abort();
    this.#stop = new AbortController();
  }

  async #run() {
    this.#running = true;
    const limits = await this.limits;
    while (this.#waiting.length) {
      await this.#judge(this.#take(limits), limits);
    }
    this.#running = false;
    this.onDone();
  }

  /** The next pictures that fit into one request. */
  #take({ files, body_bytes: bytes }) {
    const batch = [];
    let room = bytes - FORM_BYTES;
    for (const picture of this.#waiting) {
      const size = picture.blob.size + FORM_BYTES;
      if (batch.length && (picture.alone || batch[0].alone || size > room || batch.length >= Math.min(files, SOON))) break;
      batch.push(picture);
      room -= size;
    }
    this.#waiting = this.#waiting.slice(batch.length);
    return batch;
  }

  async #judge(batch, limits) {
    const { signal } = this.#stop;
    const sent = await this.#readable(batch, limits);
    if (!sent.length || signal.aborted) return;
    for (const picture of sent) picture.status = "judging";
    this.onChange(sent, null);
    try {
      const explained = this.explain();
      const answer = await predict(sent, { ...this.calls, explain: explained, signal });
      answer.results.forEach(({ status, error, width, height, faces }, index) =>
        Object.assign(sent[index], { status, error, width, height, faces, explained }),
      );
      this.onChange(sent, answer);
    } catch (error) {
      this.#fail(sent, error);
    }
  }

  /** Those that can be sent; the others fail here, with words, before anything is sent. */
  async #readable(batch, limits) {
    const most = Math.min(limits.image_bytes, limits.body_bytes - 2 * FORM_BYTES);
    const sent = [];
    for (const picture of batch) {
      const error = await problemOf(picture.blob, most);
      if (error === null) sent.push(picture);
      else this.#refuse([picture], error, false);
    }
    return sent;
  }

  #fail(sent, error) {
    // Cleared while it was on its way.
    if (error.name === "AbortError") return;
    const { code = "unexpected", message, status = 0 } = error;
    if (status === 413 && sent.length > 1) {
      // One of them is too large for the server, or all of them together.
      for (const picture of sent) Object.assign(picture, { alone: true, status: "waiting" });
      this.#waiting.unshift(...sent);
      this.onChange(sent, null);
      return;
    }
    this.#refuse(sent, { code, message }, PASSING.has(code) || status >= 500);
  }

  #refuse(pictures, error, passing) {
    for (const picture of pictures) {
      // Asked again for its evidence map: what is known of it stays.
      if (picture.faces.length) picture.status = "ok";
      else Object.assign(picture, { status: "error", error, passing });
    }
    if (pictures.some(({ status }) => status === "ok")) this.onLost(error);
    this.onChange(pictures, null);
  }
}

async function problemOf(blob, most) {
  if (blob.size > most) {
    return { code: "file_too_large", message: `file of ${blob.size} bytes, the server takes ${most}`, values: [blob.size, most] };
  }
  try {
    // A folder, or a file that was moved, looks like any other file until it is read.
    await blob.slice(0, 1).arrayBuffer();
  } catch (error) {
    return { code: "file_unreadable", message: `the browser cannot read the file: ${error.message}` };
  }
  return blob.size ? null : { code: "file_empty", message: "the file is empty" };
}
