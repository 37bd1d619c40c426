/**
 * xterm.js writes rules into style elements, and colours into style attributes, both of which the page's content security
 * policy forbids. Here it writes the same through the CSS object model, which the policy allows.
 */

/** For as long as `run` takes, in which it makes its style elements. */
export function withStyleSheets(run: () => void): void {
  const createElement = Document.prototype.createElement.bind(document)
  const create = (name: string) => (name === 'style' ? createSheetElement() : createElement(name))
  Reflect.defineProperty(document, 'createElement', {value: create, configurable: true})
  try {
    run()
  } finally {
    Reflect.deleteProperty(document, 'createElement')
  }
}

/** Of the cells of a screen, which are spans. */
export function allowStyleAttributes(): void {
  HTMLSpanElement.prototype.setAttribute = function (name, value) {
    if (name === 'style') this.style.cssText = value
    else Element.prototype.setAttribute.call(this, name, value)
  }
}

/** Stands where the style element would; even an empty one is forbidden. */
function createSheetElement(): HTMLElement {
  const element = Document.prototype.createElement.call(document, 'template')
  const sheet = new CSSStyleSheet()
  document.adoptedStyleSheets.push(sheet)
  const remove = element.remove.bind(element)
  Object.defineProperty(element, 'textContent', {set: (rules: string) => sheet.replaceSync(rules), get: () => ''})
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet)
    remove()
  }
  return element
}
