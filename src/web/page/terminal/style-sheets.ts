/**
 * Lets xterm.js work under the page's content security policy. xterm.js creates style elements and style attributes, which the policy
 * forbids; here both are applied through the CSS object model, which the policy allows.
 */

/** Replaces style elements by style sheets while `run` creates them. */
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

/** Applies style attributes of the screen's cells, which are span elements. */
export function allowStyleAttributes(): void {
  HTMLSpanElement.prototype.setAttribute = function (name, value) {
    if (name === 'style') this.style.cssText = value
    else Element.prototype.setAttribute.call(this, name, value)
  }
}

/** A placeholder for the style element: even an empty style element is forbidden. */
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
