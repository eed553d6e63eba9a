/** Makes elements of a page's templates, whose parts carry names. */

/** @param {Element} element @returns {(name: string) => any} the part of it with data-part="name" */
export const partsOf = (element) => (name) => element.querySelector(`[data-part="${name}"]`);

/**
 * @param {HTMLTemplateElement} template
 * @returns {{element: HTMLElement, part: (name: string) => any}}
 */
export function fromTemplate(template) {
  const element = /** @type {HTMLElement} */ (template.content.firstElementChild.cloneNode(true));
  return { element, part: partsOf(element) };
}
