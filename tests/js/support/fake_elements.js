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
    this.children.push(...children);
  }

  replaceChildren(...children) {
    this.children = children;
  }

  /** All text in it, in order. */
  get text() {
    return [this.textContent, ...this.children.map((child) => child.text)].join(" ").trim();
  }
}

export const fakeElement = () => new FakeElement();

export function fakeDocument() {
  return { createElement: () => new FakeElement() };
}
