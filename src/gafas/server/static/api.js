/** The server's answers. It never touches the page: what it has to say, it says through its callbacks. */

/** Tries of one request before the server counts as too busy. */
const MOST_TRIES = 6;

/** Statuses that pass by themselves: too many requests, and a full queue. */
const PASSING = new Set([429, 503]);

/** Seconds; a server that asks for a longer pause is asked again after this one. */
const LONGEST_PAUSE = 60;

let key = "";

/** A request that failed. `code` is the server's, or "unreachable", "unexpected", "overloaded" or "rate_limited". */
export class ApiError extends Error {
  constructor(code, message, status = 0) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
  }
}

/** Send this key from now on; it stays in memory. */
export function useKey(value) {
  key = value;
}

/**
 * Facts of the model and limits of the server.
 *
 * @param {Calls} calls
 */
export function fetchModel(calls) {
  return request("v1/model", {}, calls);
}

/**
 * Judge pictures in one request.
 *
 * @typedef {object} Calls
 * @property {AbortSignal} [signal] ends everything with an AbortError
 * @property {(seconds: number, status: number) => void} [onPause] the server asked to wait
 * @property {() => void} [onResume] the pause is over
 * @property {(refused: boolean) => Promise<void>} askKey resolves when `useKey` was called
 *
 * @param {{name: string, blob: Blob}[]} pictures
 * @param {Calls & {explain: boolean}} options
 * @returns the server's answer, with one result for each picture in their order
 * @throws {ApiError}
 */
export async function predict(pictures, { explain, ...calls }) {
  const body = new FormData();
  for (const { name, blob } of pictures) body.append("files", blob, name);
  const answer = await request(`v1/predict?explain=${explain}`, { method: "POST", body }, calls);
  if (answer.results?.length !== pictures.length) throw new ApiError("unexpected", "unexpected number of results");
  return answer;
}

async function request(path, options, { signal, onPause, onResume, askKey }) {
  for (let tries = 1; ; tries += 1) {
    const sent = key;
    const response = await send(path, { ...options, signal, headers: sent ? { Authorization: `Bearer ${sent}` } : {} });
    if (response.ok) return parsed(response);
    if (response.status === 401) {
      await askKey(sent !== "");
      continue;
    }
    if (!PASSING.has(response.status)) throw await errorOf(response);
    if (tries >= MOST_TRIES) {
      throw new ApiError(response.status === 429 ? "rate_limited" : "overloaded", "too busy", response.status);
    }
    const seconds = pauseOf(response.headers.get("Retry-After"), tries);
    onPause?.(seconds, response.status);
    await sleep(seconds, signal);
    onResume?.();
  }
}

async function send(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("unreachable", error.message);
  }
}

async function parsed(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("unexpected", error.message, response.status);
  }
}

async function errorOf(response) {
  const { error } = await response.json().catch(() => ({}));
  return new ApiError(error?.code ?? "unexpected", error?.message ?? response.statusText, response.status);
}

/** Whole seconds to wait: what the server asks for, else twice as long each time. */
function pauseOf(retryAfter, tries) {
  const asked = /^\d+$/.test(retryAfter ?? "") ? Number(retryAfter) : 2 ** (tries - 1);
  return Math.min(Math.max(asked, 1), LONGEST_PAUSE);
}

function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, 1000 * seconds);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
