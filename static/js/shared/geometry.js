/**
 * Computes coordinates of frames, views and labels. Pure.
 *
 * @typedef {{width: number, height: number}} Size
 * @typedef {{x: number, y: number, width: number, height: number}} Rect
 * @typedef {readonly number[]} Box left, top, width, height as fractions of the frame
 */

/**
 * Where a picture lies in a view, as CSS `object-fit` puts it.
 *
 * @param {Size} frame
 * @param {Size} view
 * @param {"contain" | "cover"} fit
 * @returns {Rect} in view units; sticks out of the view with "cover"; all zero when either has no
 *   area
 */
export function fitRect(frame, view, fit) {
  if (!(frame.width > 0 && frame.height > 0 && view.width > 0 && view.height > 0)) {
    return { x: 0, y: 0, width: 0, height: 0 };
  }
  const pick = fit === "cover" ? Math.max : Math.min;
  const scale = pick(view.width / frame.width, view.height / frame.height);
  const width = frame.width * scale;
  const height = frame.height * scale;
  return { x: (view.width - width) / 2, y: (view.height - height) / 2, width, height };
}

/**
 * @param {Box} box
 * @param {Rect} picture where the whole frame lies
 * @param {boolean} isMirrored the picture is shown left to right
 * @returns {Rect}
 */
export function boxToRect([left, top, width, height], picture, isMirrored) {
  const shownLeft = isMirrored ? 1 - left - width : left;
  return {
    x: picture.x + shownLeft * picture.width,
    y: picture.y + top * picture.height,
    width: width * picture.width,
    height: height * picture.height,
  };
}

/**
 * The part of a box that lies in the frame.
 *
 * @param {Box} box
 * @returns {[number, number, number, number]} width and height are 0 when nothing does
 */
export function clipBox([left, top, width, height]) {
  const clamp = (value) => Math.min(1, Math.max(0, value));
  const x = clamp(left);
  const y = clamp(top);
  return [x, y, clamp(left + width) - x, clamp(top + height) - y];
}

/**
 * The size of a frame scaled so that its longest side does not pass a limit; never enlarged.
 *
 * @param {Size} frame
 * @param {number} longestSide
 * @returns {Size} whole pixels, at least 1
 */
export function limitSize(frame, longestSide) {
  const scale = Math.min(1, longestSide / Math.max(frame.width, frame.height, 1));
  const whole = (length) => Math.max(1, Math.round(length * scale));
  return { width: whole(frame.width), height: whole(frame.height) };
}

/**
 * Where a picture lies that covers a view, moved so that a point of it is as near to the middle as
 * can be.
 *
 * @param {Size} frame
 * @param {Size} view
 * @param {{x: number, y: number}} focus fractions of the frame
 * @returns {Rect} in view units
 */
export function coverAround(frame, view, focus) {
  const { width, height } = fitRect(frame, view, "cover");
  const shift = (length, window, at) =>
    Math.min(0, Math.max(window - length, window / 2 - at * length));
  return {
    x: shift(width, view.width, focus.x),
    y: shift(height, view.height, focus.y),
    width,
    height,
  };
}
