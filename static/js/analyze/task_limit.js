/** Runs tasks in the order they came, at most so many at once. */
export class TaskLimit {
  #limit;
  #running = 0;
  #waiting = [];

  /** @param {number} limit */
  constructor(limit) {
    this.#limit = limit;
  }

  /**
   * @template T
   * @param {() => Promise<T>} task
   * @param {AbortSignal} [signal] a task that still waits when it aborts is never begun
   * @returns {Promise<T>} rejects with an AbortError where the signal came first
   */
  run(task, signal) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, signal, resolve, reject });
      this.#next();
    });
  }

  #next() {
    while (this.#running < this.#limit && this.#waiting.length > 0)
      this.#begin(this.#waiting.shift());
  }

  async #begin({ task, signal, resolve, reject }) {
    if (signal?.aborted) {
      reject(new DOMException("It was not begun.", "AbortError"));
      return;
    }
    this.#running += 1;
    try {
      resolve(await task());
    } catch (error) {
      reject(error);
    } finally {
      this.#running -= 1;
      this.#next();
    }
  }
}

/**
 * Asks again where the server says that this can help.
 *
 * @template T
 * @param {() => Promise<T>} ask
 * @param {{wait: (ms: number) => Promise<void>, signal?: AbortSignal, delaysMs?: readonly
 *   number[]}} options
 * @returns {Promise<T>} rejects with the last error
 */
export async function withRetries(ask, { wait, signal, delaysMs = [500, 2000, 5000] }) {
  for (const delayMs of delaysMs) {
    try {
      return await ask();
    } catch (error) {
      if (error.retryable !== true || signal?.aborted) throw error;
      await wait(delayMs);
    }
  }
  return ask();
}
