import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";

import { Film } from "../../../static/js/live/film.js";

const URLS = ["film.webm", "film.mp4"];

/** A video element that can play some files; as a real one it tells of everything later. */
class FakeVideo extends EventTarget {
  error = null;
  tried = [];
  #src = null;

  constructor(plays) {
    super();
    this.plays = plays;
  }

  get src() {
    return this.#src;
  }

  set src(url) {
    const isEmptied = this.#src !== null;
    this.#src = url;
    this.tried.push(url);
    this.error = this.plays.includes(url) ? null : { code: 4 };
    setImmediate(() => {
      if (isEmptied) this.dispatchEvent(new Event("emptied"));
      if (this.#src === url) this.dispatchEvent(new Event(this.error ? "error" : "loadeddata"));
    });
  }

  hasAttribute() {
    return this.#src !== null;
  }

  removeAttribute() {
    this.#src = null;
  }

  pause() {}

  load() {
    setImmediate(() => this.dispatchEvent(new Event("emptied")));
  }
}

for (const [plays, tried] of [
  [URLS, ["film.webm"]],
  [["film.mp4"], URLS],
]) {
  test(`of the forms of the film ${tried.at(-1)} is the first that plays`, async () => {
    const video = new FakeVideo(plays);
    assert.equal(await new Film(video, URLS).open(), true);
    assert.deepEqual(video.tried, tried);
    assert.equal(video.src, tried.at(-1));
  });
}

test("a film that plays in no form is a problem with its cause", async () => {
  const video = new FakeVideo([]);
  await assert.rejects(new Film(video, URLS).open(), { kind: "film", cause: { code: 4 } });
  assert.deepEqual(video.tried, URLS);
});

test("a film that is closed while it comes is none, and tries no further", async () => {
  const video = new FakeVideo(["film.mp4"]);
  const film = new Film(video, URLS);
  const opening = film.open();
  await turn();
  film.close();
  assert.equal(await opening, false);
  assert.equal(video.src, null);
});
