// The one place that makes elements. Text only ever becomes a text node, so captured data can't become markup; the page's
// content policy (trusted types) refuses every other way.

export type Child = Node | string | number | null | undefined | false | Child[];
type Props = Record<string, unknown>;

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  setProps(element, props);
  append(element, children);
  return element;
}

export function svg(tag: string, props: Props = {}, ...children: Child[]): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setProps(element, props);
  append(element, children);
  return element;
}

function setProps(element: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on") && typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, String(value));
  }
}

export function append(parent: Node, children: Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(parent, child);
    else parent.appendChild(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

export function fill(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

// Keeps one child element a key: unchanged items keep their element (and with it focus, selection and scroll position).
export class KeyedList<Item> {
  private readonly shown = new Map<string, { print: string; element: HTMLElement }>();

  constructor(private readonly parent: Element, private readonly key: (item: Item) => string, private readonly make: (item: Item) => HTMLElement) {}

  update(items: Item[]): void {
    const wanted = new Set(items.map(this.key));
    for (const [key, { element }] of this.shown) {
      if (wanted.has(key)) continue;
      element.remove();
      this.shown.delete(key);
    }
    let place: ChildNode | null = this.parent.firstChild;
    for (const item of items) {
      const old = this.shown.get(this.key(item))?.element;
      const element = this.elementOf(item);
      if (old && old === place) place = element; // it may have been replaced just now
      if (element === place) place = place.nextSibling;
      else this.parent.insertBefore(element, place);
    }
  }

  element(key: string): HTMLElement | undefined {
    return this.shown.get(key)?.element;
  }

  private elementOf(item: Item): HTMLElement {
    const key = this.key(item);
    const print = JSON.stringify(item);
    const old = this.shown.get(key);
    if (old && old.print === print) return old.element;
    const element = this.make(item);
    if (old) {
      const focused = old.element === document.activeElement;
      old.element.replaceWith(element);
      if (focused) element.focus({ preventScroll: true });
    }
    this.shown.set(key, { print, element });
    return element;
  }
}
