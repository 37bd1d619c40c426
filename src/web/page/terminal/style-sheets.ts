/**
 * xterm.js writes rules into style elements, and styles into attributes, both of which the page's content security policy
 * forbids. Given this document, it writes the same through the CSS object model, which the policy allows.
 */

export function createStyledDocument(real: Document): Document {
  return new Proxy(real, {
    get: (target, key) => {
      if (key === 'createElement') return (name: string) => adapt(target.createElement(name))
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function adapt(element: HTMLElement): HTMLElement {
  const setAttribute = element.setAttribute.bind(element)
  element.setAttribute = (name, value) => {
    if (name === 'style') element.style.cssText = value
    else setAttribute(name, value)
  }
  if (element instanceof HTMLStyleElement) adoptRules(element)
  return element
}

function adoptRules(element: HTMLStyleElement): void {
  const sheet = new CSSStyleSheet()
  document.adoptedStyleSheets.push(sheet)
  const remove = element.remove.bind(element)
  Object.defineProperty(element, 'textContent', {set: (rules: string) => sheet.replaceSync(rules), get: () => ''})
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((other) => other !== sheet)
    remove()
  }
}
