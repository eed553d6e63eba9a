/**
 * Colours of the seven expressions (Okabe and Ito 2008, told apart with any colour vision), never
 * without text.
 */

const EMOTION_COLOURS = {
  happy: "#E69F00",
  sad: "#0072B2",
  angry: "#D55E00",
  surprise: "#56B4E9",
  fear: "#CC79A7",
  disgust: "#009E73",
  neutral: "#999999",
};

/** The colour of a label that we are not sure of is none of the seven. */
export const UNSURE_COLOUR = "#E8EBF0";

const DARK_TEXT = "#0B0E13";
const LIGHT_TEXT = "#FFFFFF";

/** @param {string} emotion */
export const emotionColour = (emotion) => EMOTION_COLOURS[emotion] ?? EMOTION_COLOURS.neutral;

/**
 * @param {string} background #RRGGBB
 * @returns {string} black or white, whichever reads better on it
 */
export function textColourOn(background) {
  return contrast(background, DARK_TEXT) >= contrast(background, LIGHT_TEXT)
    ? DARK_TEXT
    : LIGHT_TEXT;
}

/** WCAG 2.2 contrast ratio of two #RRGGBB colours, 1-21. */
export function contrast(first, second) {
  const [dark, light] = [luminance(first), luminance(second)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(hex) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
