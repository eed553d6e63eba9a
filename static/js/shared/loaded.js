/** Take away the words for a page that did not load whole. A module runs only once all that it imports has come. */
export function tellLoaded() {
  document.getElementById("not-loaded").remove();
}
