/**
 * What the SCXML recommendation (https://www.w3.org/TR/scxml/, section 3, and its schema) demands of the elements that a chart is
 * written with: which may be in which, which attributes they have, that ids are XML names and one of a kind, that what is referred to exists.
 */
import {DOMParser, type Element, onErrorStopParsing} from '@xmldom/xmldom'

const namespace = 'http://www.w3.org/2005/07/scxml'

interface Rule {
  readonly children: readonly string[]
  readonly attributes: readonly string[]
}

const rules: Readonly<Record<string, Rule>> = {
  scxml: {
    children: ['state', 'parallel', 'final', 'datamodel', 'script'],
    attributes: ['initial', 'name', 'version', 'datamodel', 'binding'],
  },
  state: {
    children: ['onentry', 'onexit', 'transition', 'initial', 'state', 'parallel', 'final', 'history', 'datamodel', 'invoke'],
    attributes: ['id', 'initial'],
  },
  parallel: {children: ['onentry', 'onexit', 'transition', 'state', 'parallel', 'history', 'datamodel', 'invoke'], attributes: ['id']},
  final: {children: ['onentry', 'onexit', 'donedata'], attributes: ['id']},
  transition: {children: ['send'], attributes: ['event', 'cond', 'target', 'type']},
  onentry: {children: ['send'], attributes: []},
  onexit: {children: ['send'], attributes: []},
  send: {children: ['param', 'content'], attributes: ['event', 'target', 'type', 'id', 'delay', 'namelist']},
}

/** @returns violations, as sentences */
export function checkScxml(text: string): readonly string[] {
  const {documentElement: root} = new DOMParser({onError: onErrorStopParsing}).parseFromString(text, 'text/xml')
  if (!root) return ['there is no element']
  const all = listElements(root)
  const ids = all.flatMap((element) => element.getAttribute('id') ?? [])
  return [
    ...(root.localName === 'scxml' ? [] : [`the first element is ${root.localName}`]),
    ...(root.getAttribute('version') === '1.0' ? [] : ['version has to be 1.0']),
    ...ids.filter((id) => !/^[A-Za-z_][\w.-]*$/.test(id)).map((id) => `${id} is no XML name`),
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id} is there twice`),
    ...all.flatMap((element) => checkElement(element, ids)),
  ]
}

function checkElement(element: Element, ids: readonly string[]): readonly string[] {
  const {localName = ''} = element
  const rule = rules[localName ?? '']
  if (element.namespaceURI !== namespace || !rule) return [`${element.tagName} is no element of SCXML`]
  const children = listChildren(element)
  const attributes = [...element.attributes].filter(({namespaceURI, name}) => !namespaceURI && name !== 'xmlns').map(({name}) => name)
  const references = ['initial', 'target'].flatMap((name) => (element.getAttribute(name) ?? '').split(' ').filter((id) => id !== ''))
  return [
    ...children.filter((child) => !rule.children.includes(child.localName ?? '')).map((child) => `${child.tagName} in ${localName}`),
    ...attributes.filter((name) => !rule.attributes.includes(name)).map((name) => `${name} of ${localName}`),
    ...(localName === 'send' ? [] : references.filter((id) => !ids.includes(id)).map((id) => `${id} is nowhere`)),
    ...(localName === 'transition' ? checkTransition(element) : []),
    ...(localName === 'state' ? checkInitial(element, children) : []),
    ...(localName === 'parallel' && children.filter(isState).length < 1 ? ['a parallel has no states'] : []),
  ]
}

function checkTransition(element: Element): readonly string[] {
  const type = element.getAttribute('type')
  return [
    ...(['event', 'cond', 'target'].some((name) => element.hasAttribute(name)) ? [] : ['a transition has no event, condition or target']),
    ...(type === null || ['internal', 'external'].includes(type) ? [] : [`${type} is no type of a transition`]),
  ]
}

/** An initial state must be inside its state; an atomic state has none. */
function checkInitial(element: Element, children: readonly Element[]): readonly string[] {
  const initial = element.getAttribute('initial')
  const id = element.getAttribute('id') ?? ''
  if (initial === null) return children.some(isState) ? [`${id} does not say where it begins`] : []
  const within = listElements(element)
    .slice(1)
    .map((inner) => inner.getAttribute('id'))
  return within.includes(initial) ? [] : [`${id} begins outside itself, in ${initial}`]
}

function isState({localName}: Element): boolean {
  return ['state', 'parallel', 'final'].includes(localName ?? '')
}

function listElements(element: Element): readonly Element[] {
  return [element, ...listChildren(element).flatMap(listElements)]
}

function listChildren(element: Element): readonly Element[] {
  return [...element.childNodes].filter((node): node is Element => node.nodeType === node.ELEMENT_NODE)
}
