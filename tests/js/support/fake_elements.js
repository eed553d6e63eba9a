/** Elements that keep what is put into them: enough for a view that builds its own. */

class FakeElement {
  children = [];
  dataset = {};
  hidden = false;
  textContent = "";
  className = "";
  styles = {};
  style = { setProperty: (name, value) => (this.styles[name] = value) };
  classes = new Set();
  classList = {
    toggle: (name, isOn) => (isOn ? this.classes.add(name) : this.classes.delete(name)),
  };

  append(...children) {
    this.children.push(
      ...children.map((child) => (typeof child === "string" ? fakeText(child) : child)),
    );
  }

  setAttribute() {}

  replaceChildren(...children) {
    this.children = children;
  }

  /** All text in it, in order. */
  get text() {
    return [this.textContent, ...this.children.map((child) => child.text)].join(" ").trim();
  }
}

const fakeText = (text) => Object.assign(new FakeElement(), { textContent: text });

export const fakeElement = () => new FakeElement();

export function fakeDocument() {
  const createElement = () => new FakeElement();
  return { createElement, createElementNS: createElement };
}
